// The Go code of docs/RECEIVERS.md.
import { askProgram } from '../program.mjs';

export const verify = (request) => askProgram('./guide_go', request);
