// SPDX-License-Identifier: Apache-2.0

/** A word for a shell, quoted if necessary. */
export function q(text) {
	const s = String(text ?? "");
	return /^[\w@%+=:,./-]+$/.test(s) ? s : `'${s.replaceAll("'", `'\\''`)}'`;
}

/** A request of our own API. */
export const curl = (method, path, body) => `curl -X ${method} "$DARI_URL/api/v1${path}" -H "X-Auth-Token: $DARI_TOKEN"${body ? ` -H 'Content-Type: application/json' -d ${q(JSON.stringify(body))}` : ""}`;
