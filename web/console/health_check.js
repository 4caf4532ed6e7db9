// SPDX-License-Identifier: Apache-2.0
// The region's health check, as `dari doctor` runs it: each part with its finding and, if it failed, what to do. It runs when asked, because it
// reads the whole database.
import {html, nothing, mark, problemCard, note} from "./parts.js";
import {showCommand} from "./command_bar.js";
import {touch} from "./store.js";
import {t, time} from "./words.js";
import {post} from "./api.js";

let found = null, problem = null, isBusy = false, at = 0; // the last check in this window

async function check() {
	showCommand("region.check", {});
	isBusy = true;
	touch();
	try {
		found = (await post("/commands", {command: "doctor", args: {}})).outcome.value ?? [];
		problem = null;
		at = Date.now() * 1000;
		note(t("Health check finished"), found.every((f) => f.ok) ? "ok" : "bad");
	} catch (p) {
		problem = p;
	}
	isBusy = false;
	touch();
}

const finding = (f) => html`<tr><td>${f.ok ? mark("ok", t("Passed")) : mark("bad", t("Failed"))}</td><th scope="row" lang="en">${f.part.replaceAll("_", " ")}</th><td lang="en">${f.found}${f.ok ? nothing : html`<br><strong>${f.advice}</strong>`}</td></tr>`;

export const healthCheckCard = () => html`<div class="card" id="health-check"><h2>${t("Health check")}</h2>
	<p class="hint">${t("Checks the database, disks, certificates, network, hosts, storage pools and backups, and says what to do.")}</p>
	${problemCard(problem)}
	${found ? html`<p>${t("Checked at {time}.", {time: time(at)})}</p><div class="scroll" tabindex="0" role="region" aria-label=${t("Health check")}><table class="simple"><thead><tr><th scope="col">${t("State")}</th><th scope="col">${t("Part")}</th><th scope="col">${t("Result")}</th></tr></thead>
		<tbody>${found.toSorted((a, b) => a.ok - b.ok).map(finding)}</tbody></table></div>` : nothing}
	<button type="button" ?disabled=${isBusy} @click=${check}>${isBusy ? t("Checking…") : t("Run health check")}</button></div>`;
