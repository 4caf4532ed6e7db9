// SPDX-License-Identifier: Apache-2.0
// samlp as an identity provider: people sign in to the console by it, in the browser's two requests. Signed assertion, signed response, both; groups;
// and what is refused.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import https from "node:https";
import os from "node:os";
import path from "node:path";

const samlp = createRequire(`${process.env.CLIENT}/package.json`)("samlp");
const ENDPOINT = process.env.ENDPOINT ?? process.env.AWS_ENDPOINT_URL;
const ca = readFileSync(process.env.AWS_CA_BUNDLE ?? process.env.CA_FILE);
const folder = mkdtempSync(path.join(os.tmpdir(), "samlp-"));
const [keyFile, certificateFile] = ["key.pem", "cert.pem"].map((name) => path.join(folder, name));
execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=idp", "-days", "2", "-keyout", keyFile, "-out", certificateFile], { stdio: "ignore" });
const key = readFileSync(keyFile), cert = readFileSync(certificateFile);
const ISSUER = "https://idp.example.com/samlp", GROUPS = "http://schemas.passportjs.com/groups";

async function step(words, body) {
  try {
    await body();
    console.log(`ok - ${words}`);
  } catch (e) {
    console.log(`not ok - ${words}: ${`${e.name}: ${e.message}`.replace(/\s+/g, " ").slice(0, 400)}`);
  }
}

function same(got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`got ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
}

function ask(method, place, headers = {}, body = "") {
  return new Promise((resolve, reject) => {
    const request = https.request(new URL(place, ENDPOINT), { method, headers: { ...headers, "Content-Length": Buffer.byteLength(body) }, ca }, (answer) => {
      let text = "";
      answer.on("data", (part) => { text += part; }).on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

let token = "";
async function call(method, place, body) {
  const answer = await ask(method, place, { "Content-Type": "application/json", "X-Auth-Token": token }, body ? JSON.stringify(body) : "");
  if (answer.status >= 300) throw new Error(`${method} ${place}: ${answer.status} ${answer.text}`);
  return answer;
}

async function signInAsAdministrator() {
  const user = { name: "admin", domain: { id: "default" }, password: process.env.ADMIN_PASSWORD };
  const scope = { project: { name: "admin", domain: { id: "default" } } };
  token = (await call("POST", "/identity/v3/auth/tokens", { auth: { identity: { methods: ["password"], password: { user } }, scope } })).headers["x-subject-token"];
}

/** The metadata document that samlp writes. */
const metadata = () => new Promise((resolve) => {
  const request = { originalUrl: "/metadata", headers: { host: "idp.example.com" }, protocol: "https", url: "/metadata" };
  samlp.metadata({ issuer: ISSUER, cert, redirectEndpointPath: "/sso", postEndpointPath: "/sso" })(request, { set() {}, setHeader() {}, send: resolve });
});

/** samlp's answer to the request of a redirect: the form that a browser would send. */
const answerOf = (url, options) => new Promise((resolve, reject) => {
  const query = Object.fromEntries(new URL(url).searchParams);
  const user = { id: "jane-1", displayName: "Jane", emails: [{ value: "jane@example.com" }], name: { familyName: "Doe", givenName: "Jane" }, groups: ["ops"] };
  const response = { set() {}, setHeader() {}, send: resolve };
  samlp.auth({ issuer: ISSUER, cert, key, signatureAlgorithm: "rsa-sha256", digestAlgorithm: "sha256", getUserFromRequest: () => user,
    getPostURL: (_audience, _dom, _request, done) => done(null, options.place), nameIdentifierFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    ...options })({ query, body: {}, method: "GET", originalUrl: url, headers: {} }, response, reject);
});

const plain = (text) => text.replaceAll("&#43;", "+").replaceAll("&#x2F;", "/").replaceAll("&#x3D;", "=").replaceAll("&#61;", "=").replaceAll("&amp;", "&");
const field = (html, name) => plain(html.match(new RegExp(`name="${name}"[^>]*value="([^"]*)"`))?.[1] ?? "");

let id = "";
async function signIn(options = {}) {
  const base = `${ENDPOINT}/api/v1/session/saml/${id}`;
  const begun = await ask("GET", base, { "Sec-Fetch-Site": "same-origin" });
  same(begun.status, 303);
  const html = await answerOf(begun.headers.location, { place: `${base}/acs`, audience: `${base}/metadata`, recipient: `${base}/acs`, destination: `${base}/acs`, ...options });
  const body = new URLSearchParams({ SAMLResponse: field(html, "SAMLResponse"), RelayState: field(html, "RelayState") }).toString();
  return ask("POST", `${base}/acs`, { "Content-Type": "application/x-www-form-urlencoded", Cookie: begun.headers["set-cookie"][0].split(";")[0] }, body);
}

async function whoIs(answer) {
  const cookies = (answer.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
  return JSON.parse((await ask("GET", "/api/v1/session", { Cookie: cookies, "Sec-Fetch-Site": "same-origin" })).text);
}

await step("an administrator adds samlp by its metadata", async () => {
  await signInAsAdministrator();
  const made = await call("POST", "/api/v1/saml-providers", { name: "samlp", metadata: await metadata() });
  id = JSON.parse(made.text).items[0].id;
  await call("PUT", `/api/v1/saml-providers/${id}/sign-in`, { name: "samlp", makes_users: true, group_attribute: GROUPS, groups: ["ops = Operators"] });
});
for (const [words, options] of [["a signed assertion", {}], ["a signed response", { signResponse: true }]])
  await step(`${words} signs in`, async () => {
    const answer = await signIn(options);
    same([answer.status, answer.headers.location], [303, "/console/"]);
    same((await whoIs(answer)).user.name, "Jane");
  });
await step("the group follows", async () => {
  const groups = JSON.parse((await call("GET", "/api/v1/user-groups?all=1&fields=*")).text).items.filter((g) => g.name === "Operators");
  same(groups.length, 1);
  same(JSON.parse((await call("GET", `/api/v1/group-members?fields=*&user_group=${groups[0].id}`)).text).items.length, 1);
});
for (const [words, options] of [["another audience", { audience: "https://elsewhere.example.com" }], ["SHA-1", { signatureAlgorithm: "rsa-sha1", digestAlgorithm: "sha1" }],
  ["another issuer", { issuer: "https://elsewhere.example.com" }]])
  await step(`${words} is refused`, async () => same((await signIn(options)).headers.location, "/console/?problem=saml-token"));
console.log("ok - end of tour");
