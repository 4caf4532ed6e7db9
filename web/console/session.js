// SPDX-License-Identifier: Apache-2.0
// The session. Its cookie is not readable by scripts; this is the server's description of it.
import {get, post, remove} from "./api.js";
import {forgetAll, touch} from "./store.js";
import {stop as stopStream} from "./stream.js";

export const session = {
	state: "unknown", // other states: in, out
	user: null, account: null, accounts: [], rights: [], region: "", endpoint: "", problem: null,
	invitation: null, // {user, account, password} of an invitation link, until the user has chosen a password
	onChange() {},
	/** Signs in. A Problem with body.need === "totp" means that the password was right, and a code is required. */
	async enter(proof) {
		setSession(await post("/session", proof));
	},
};

export function setSession(said) {
	if (!said) {
		Object.assign(session, {state: "out", user: null, account: null, accounts: [], rights: []});
	} else {
		Object.assign(session, said, {state: "in", problem: null});
	}
	session.onChange();
	touch();
}

export function isOperator() {
	return session.rights?.includes("admin");
}

/** ARN of a policy: of the account, or built in. */
export const policyArn = (policy) => `arn:aws:iam::${policy?.account ? session.account?.number : "aws"}:policy${policy?.path ?? "/"}${policy?.name}`;

export function mayChange() {
	return !session.rights?.length || session.rights.some((r) => r !== "reader");
}

export async function signOut() {
	await remove("/session").catch(() => {});
	setSession(null);
}

export async function chooseAccount(account) {
	await post("/session/scope", {account});
	stopStream();
	forgetAll();
	setSession(await get("/session"));
}
