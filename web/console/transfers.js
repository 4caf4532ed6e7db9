// SPDX-License-Identifier: Apache-2.0
// Binary transfers: uploading a file with progress, and fetching a picture.
import {BASE, Problem, Unreachable} from "./api.js";

function problemOf(status, text) {
	try {
		return new Problem(status, JSON.parse(text));
	} catch {
		return new Problem(status, {detail: String(text).slice(0, 300)});
	}
}

/** Uploads a file; far(bytes sent). Returns {done: a promise, stop()} */
export function upload(path, file, far) {
	const request = new XMLHttpRequest();
	const done = new Promise((resolve, reject) => {
		request.upload.onprogress = (e) => far(e.loaded);
		request.onerror = () => reject(new Unreachable("the server cannot be reached"));
		request.onabort = () => reject(new Unreachable("stopped"));
		request.onload = () => (request.status < 300 ? resolve(JSON.parse(request.responseText)) : reject(problemOf(request.status, request.responseText)));
	});
	request.open("PUT", BASE + path);
	request.setRequestHeader("Content-Type", "application/octet-stream");
	request.setRequestHeader("X-Dari-User", "1");
	request.send(file);
	return {done, stop: () => request.abort()};
}

/** A URL of the picture at the path; the caller frees it (URL.revokeObjectURL). */
export async function picture(path) {
	const answer = await fetch(BASE + path, {credentials: "same-origin", cache: "no-store"});
	if (!answer.ok)
		throw problemOf(answer.status, await answer.text());
	return URL.createObjectURL(await answer.blob());
}
