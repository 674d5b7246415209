// Starts firebase-tools' Firebase Auth emulator by itself: node auth.js NODE_MODULES PROJECT PORT
//
// `firebase emulators:start --only auth` takes half a minute here, this two seconds. The difference is the
// command line's own work, and that each of the emulator's 200 request schemas has its validator compile
// and check JSON Schema's own schema anew. The API description is a fixed file of the package, so that check
// tells nothing; requests are validated as ever.
"use strict";
const { createRequire } = require("module");
const path = require("path");

const [modules, project, port] = process.argv.slice(2);
const tools = createRequire(path.join(modules, "firebase-tools", "package.json"));
const exegesis = createRequire(tools.resolve("exegesis"));
exegesis("ajv/dist/core").default.prototype.validateSchema = () => true;

const { createApp } = tools("./lib/emulator/auth/server");
createApp(project).then((app) => app.listen(Number(port), "127.0.0.1"));
