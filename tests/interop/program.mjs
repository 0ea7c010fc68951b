// Asks a program (guide/main.cc, guide/main.go) about a request.
import { spawnSync } from 'node:child_process';

export function askProgram(program, { profile, headers, body, secret }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
  const now = String(Math.floor(Date.now() / 1000));
  const answer = spawnSync(program, [profile, secret, now], {
    input: Buffer.concat([Buffer.from(lines.join('') + '\n'), body]),
  });
  if (answer.status !== 0 && answer.status !== 1) throw new Error(`${program} does not work: ${answer.stderr}`);
  if (answer.status === 1) throw new Error(`${program} says no`);
  return JSON.parse(body.toString('utf8'));
}
