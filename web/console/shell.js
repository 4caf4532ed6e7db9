// SPDX-License-Identifier: Apache-2.0

/** A word for a shell, quoted where it needs to be. */
export function q(text) {
	const s = String(text ?? "");
	return /^[\w@%+=:,./-]+$/.test(s) ? s : `'${s.replaceAll("'", `'\\''`)}'`;
}
