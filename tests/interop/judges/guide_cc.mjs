// The C++ code of docs/RECEIVERS.md.
import { askProgram } from '../program.mjs';

export const verify = (request) => askProgram('./guide_cc', request);
