# Writes the code of docs/RECEIVERS.md to files: a block that begins with "```js receive.mjs" to receive.mjs
# in the folder `to`.
/^```[a-z]+ [a-z0-9_]+\.[a-z]+$/ {
  file = to "/" $2
  printf "" > file
  next
}
/^```/ { file = "" }
file { print > file }
