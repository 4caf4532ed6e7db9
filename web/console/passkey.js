// SPDX-License-Identifier: Apache-2.0
// Passkeys (WebAuthn). The browser talks to the authenticator; data to and from the server are base64url. Only key types that the server can verify
// are requested: ES256 and RS256.
const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const isAddress = (host) => /^[\d.]+$/.test(host) || host.includes(":");

/** Requires a secure context and a host name: a passkey is bound to a host name. */
export function canUsePasskeys() {
	return Boolean(globalThis.PublicKeyCredential && navigator.credentials && isSecureContext) && !isAddress(location.hostname);
}

const listed = (question) => question.credentials.map((id) => ({type: "public-key", id: toBytes(id)}));

/** Creates a passkey for the server's challenge; returns the response for the server. */
export async function makePasskey(question) {
	const {response} = await navigator.credentials.create({publicKey: {
		rp: {id: question.rp, name: "Dari"}, challenge: toBytes(question.challenge), excludeCredentials: listed(question),
		user: {id: toBytes(question.user.handle), name: question.user.name, displayName: question.user.name},
		pubKeyCredParams: [{type: "public-key", alg: -7}, {type: "public-key", alg: -257}], attestation: "none",
		authenticatorSelection: {residentKey: "preferred", userVerification: "preferred"}}});
	return {client_data: toText(response.clientDataJSON), authenticator_data: toText(response.getAuthenticatorData()), public_key: toText(response.getPublicKey())};
}

/** Uses a passkey: without a password it must verify the user, after a password it need not. */
export async function usePasskey(question, {isAlone = false} = {}) {
	const {rawId, response} = await navigator.credentials.get({publicKey: {
		rpId: question.rp, challenge: toBytes(question.challenge), allowCredentials: listed(question), userVerification: isAlone ? "required" : "discouraged"}});
	return {credential: toText(rawId), client_data: toText(response.clientDataJSON), authenticator_data: toText(response.authenticatorData),
		signature: toText(response.signature), ...(isAlone ? {user_handle: toText(response.userHandle ?? new ArrayBuffer(0))} : {})};
}
