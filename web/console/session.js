// SPDX-License-Identifier: Apache-2.0
// Who is here. The session itself is a cookie that no program in the page can read; this is what the server says of it.
import {get, post, remove} from "./api.js";
import {forgetAll, touch} from "./store.js";
import {stop as stopStream} from "./stream.js";

export const session = {
	state: "unknown", // in, out
	user: null, account: null, accounts: [], rights: [], region: "", endpoint: "", problem: null,
	onChange() {},
	/** Signs in with what is brought. A Problem with body.need === "totp": the password was right, and a code is wanted. */
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

/** What IAM calls a policy: the account's own, or one that comes with the region. */
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
