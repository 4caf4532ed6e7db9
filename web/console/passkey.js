// SPDX-License-Identifier: Apache-2.0
// Passkeys (WebAuthn). The browser speaks with the authenticator; what goes to the server is base64url. Only keys whose form the server
// checks are asked for: ES256 and RS256.
const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const isAddress = (host) => /^[\d.]+$/.test(host) || host.includes(":");

/** Not over an open wire, and not at a bare address: a passkey is for a host's name. */
export function canUsePasskeys() {
	return Boolean(globalThis.PublicKeyCredential && navigator.credentials && isSecureContext) && !isAddress(location.hostname);
}

const listed = (question) => question.credentials.map((id) => ({type: "public-key", id: toBytes(id)}));

/** Has a new one made by what the server asks; what the server is told of it. */
export async function makePasskey(question) {
	const {response} = await navigator.credentials.create({publicKey: {
		rp: {id: question.rp, name: "Dari"}, challenge: toBytes(question.challenge), excludeCredentials: listed(question),
		user: {id: toBytes(question.user.handle), name: question.user.name, displayName: question.user.name},
		pubKeyCredParams: [{type: "public-key", alg: -7}, {type: "public-key", alg: -257}], attestation: "none",
		authenticatorSelection: {residentKey: "preferred", userVerification: "preferred"}}});
	return {client_data: toText(response.clientDataJSON), authenticator_data: toText(response.getAuthenticatorData()), public_key: toText(response.getPublicKey())};
}

/** Asks for one: alone it has to verify its user, behind a password it need not. */
export async function usePasskey(question, {isAlone = false} = {}) {
	const {rawId, response} = await navigator.credentials.get({publicKey: {
		rpId: question.rp, challenge: toBytes(question.challenge), allowCredentials: listed(question), userVerification: isAlone ? "required" : "discouraged"}});
	return {credential: toText(rawId), client_data: toText(response.clientDataJSON), authenticator_data: toText(response.authenticatorData),
		signature: toText(response.signature), ...(isAlone ? {user_handle: toText(response.userHandle ?? new ArrayBuffer(0))} : {})};
}
