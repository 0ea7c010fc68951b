// The Go code of docs/RECEIVERS.md as a program: see main.cc.
package main

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	input := bufio.NewReader(os.Stdin)
	headers := map[string]string{}
	for {
		line, err := input.ReadString('\n')
		if err != nil || line == "\n" {
			break
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		headers[name] = value
	}
	body, _ := io.ReadAll(input)
	seconds, _ := strconv.ParseInt(os.Args[3], 10, 64)
	verify := map[string]func(func(string) string, []byte, string, time.Time) error{
		"standard": Standard, "itpay": ItPay}[os.Args[1]]
	get := func(name string) string { return headers[strings.ToLower(name)] }
	if err := verify(get, body, os.Args[2], time.Unix(seconds, 0)); err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}
