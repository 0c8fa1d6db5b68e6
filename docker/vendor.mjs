// Copies the front-end files that package.json names under coinsphere.vendor, and nothing else.
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const target = process.argv[2];
const { coinsphere } = JSON.parse(readFileSync("package.json", "utf8"));
for (const [theirs, ours] of Object.entries(coinsphere.vendor)) {
  const place = join(target, ours);
  mkdirSync(dirname(place), { recursive: true });
  cpSync(join("node_modules", theirs), place);
}
