// SPDX-License-Identifier: Apache-2.0
const KEPT_MS = 10_000; // the browser reads the content after the click has returned

/** Has the browser save a file to disk. */
export function saveFile(name, content, type) {
	const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(new Blob([content], {type})), download: name});
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
