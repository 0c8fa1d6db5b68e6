/* The overview: its few markets follow the socket. */

import { followAll } from "./prices.js";

followAll();
