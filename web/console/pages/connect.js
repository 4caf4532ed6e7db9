// SPDX-License-Identifier: Apache-2.0
// Snippets that connect a user's own tools to this region, one tab for each tool. A secret is shown once, when the key is created. The indicator at
// the top turns on when the key is first used.
import {html, nothing, mark, copy, ask, when} from "../parts.js";
import {rows, need, applyRow} from "../store.js";
import {here, say} from "../router.js";
import {t, since} from "../words.js";
import {post, intent} from "../api.js";
import {session} from "../session.js";
import {q} from "../shell.js";
import {block as written, inner} from "../terraform.js";
import {exports} from "../environment.js";

let made = null, problem = null;

const endpoint = () => session.endpoint || location.origin;
const block = (text, label) => html`<div class="block"><pre tabindex="0" aria-label=${label}>${text}</pre><button type="button" @click=${() => copy(text)}>${t("Copy")}</button></div>`;

function keyId() {
	return made?.key_id ?? rows("access-keys").find((k) => k.enabled && k.user === session.user?.id)?.key_id ?? "AKIA…";
}

const secret = () => made?.secret ?? "…";

/** The provider checks region names against AWS's unless told not to; each service that is served here is named, or a call would go to AWS. */
const provider = () => written('provider "aws"', {region: session.region, access_key: keyId(), secret_key: secret(), skip_credentials_validation: true, skip_region_validation: true, skip_requesting_account_id: true, skip_metadata_api_check: true,
	endpoints: inner(Object.fromEntries(["autoscaling", "cloudwatch", "ec2", "elb", "elbv2", "events", "iam", "sns", "sqs", "sts"].map((service) => [service, endpoint()])))});

/** Values for environment.js: no password, which the snippet asks for, and no certificate, whose file the page cannot know. */
const fields = () => ({endpoint: endpoint(), region: session.region, key_id: keyId(), key_secret: secret(), user: session.user?.name ?? "", user_domain: "Default", project: session.account?.name ?? "", project_domain: "Default",
	project_id: session.account?.id?.replaceAll("-", "") ?? "", project_uuid: session.account?.id ?? "", tenant: session.account?.domain ?? ""});

const TABS = [
	["aws", "aws, boto3", () => html`${block(exports("aws", fields()), t("Settings"))}${block("aws ec2 describe-instances --output table", t("First call"))}`],
	["openstack", "openstack", () => html`${block(`${exports("openstack", fields())}\nread -rsp 'Password: ' OS_PASSWORD; export OS_PASSWORD`, t("Settings"))}${block("openstack server list", t("First call"))}`],
	["az", "az", () => html`${block(`az cloud register -n ${q(session.region)} --endpoint-resource-manager ${endpoint()}\naz cloud set -n ${q(session.region)}\naz login --service-principal --tenant ${session.account?.domain ?? ""} -u ${keyId()} -p ${secret()}`, t("Settings"))}${block(exports("azure", fields()), t("Settings"))}${block("az group list --output table", t("First call"))}<p class="hint">${t("az requires HTTPS. If the region’s certificate is not from a public authority, set REQUESTS_CA_BUNDLE to the file of the CA.")}</p>`],
	["terraform", "Terraform", () => block(provider(), t("Settings"))],
	["cmk", "cmk", () => html`${block(`cmk set url ${endpoint()}/client/api\ncmk set apikey ${keyId()}\ncmk set secretkey ${secret()}\ncmk sync`, t("Settings"))}${block(exports("cloudstack", fields()), t("Settings"))}${block("cmk list virtualmachines", t("First call"))}`],
	["ansible", "Ansible", () => html`${block(`- hosts: localhost\n  module_defaults:\n    group/aws:\n      endpoint_url: ${endpoint()}\n      region: ${session.region}\n      access_key: ${keyId()}\n      secret_key: "{{ lookup('env', 'AWS_SECRET_ACCESS_KEY') }}"\n  tasks:\n    - amazon.aws.ec2_instance_info:`, t("Settings"))}${block(`export AWS_URL=${endpoint()} AWS_REGION=${session.region}\nexport AWS_ACCESS_KEY_ID=${keyId()} AWS_SECRET_ACCESS_KEY=${secret()}\nansible localhost -m amazon.aws.ec2_instance_info`, t("First call"))}`],
	["curl", "curl", () => block(`curl --aws-sigv4 aws:amz:${session.region}:ec2 --user "${keyId()}:${secret()}" \\\n  ${endpoint()}/api/v1/instances`, t("First call"))],
];

function makeKey() {
	const key = intent();
	ask({title: t("Access key"), label: t("Create"), body: () => html`<p>${t("The key has your permissions in this account. The secret is shown on this page only until you leave it.")}</p>`,
		submit: async () => {
			try {
				const answer = await post("/access-keys", {}, {"Idempotency-Key": key});
				const row = answer.items?.[0] ?? answer.item ?? answer;
				made = {key_id: row.key_id ?? answer.key_id, secret: answer.secret ?? row.secret};
				applyRow("access-keys", row);
			} catch (p) {
				problem = p;
				throw p;
			}
		}});
}

export function view() {
	for (const k of ["access-keys", "users"])
		need(k);
	const tab = TABS.find(([id]) => id === here.query.get("tool")) ?? TABS[0];
	const keys = rows("access-keys").filter((k) => k.user === session.user?.id || !k.user);
	const latest = keys.toSorted((a, b) => (b.last_used_us ?? 0) - (a.last_used_us ?? 0))[0];
	const mine = made ? keys.find((k) => k.key_id === made.key_id) : latest;
	return html`<h1>${t("CLI & SDK setup")}</h1><p class="hint">${t("Standard clients work unmodified. Paste a block into a shell to configure one.")}</p>
		<div class="card"><div class="head"><h2>${mine?.last_used_us ? mark("ok", t("{key} was last used {age} ago, for {service}", {key: mine.key_id, age: since(mine.last_used_us), service: mine.last_used_service || "?"})) : mine ? mark("go", t("{key}: waiting for its first call…", {key: mine.key_id})) : mark("off", t("You have no access keys"))}</h2><span class="sp"></span>
			<button type="button" class=${mine ? "" : "b1"} @click=${makeKey}>${t("Create access key")}</button></div>
			${made ? html`<p>${t("The secret is filled in below. It is not stored: copy it now.")}</p>` : nothing}</div>${problem && !made ? nothing : nothing}
		<div class="bar" role="group" aria-label=${t("Tool")}>${TABS.map(([id, name]) => html`<button type="button" class="chip" aria-pressed=${id === tab[0] ? "true" : "false"} @click=${() => say({tool: id})}>${name}</button>`)}</div>
		<div class="card">${tab[2]()}${secret() === "…" && tab[0] !== "openstack" ? html`<p class="hint">${t("The secret of an existing access key cannot be shown again. Create a new key to fill it in.")}</p>` : nothing}</div>
		${keys.length ? html`<div class="card"><h2>${t("Your access keys")}</h2><table class="simple"><thead><tr><th scope="col">${t("Access key")}</th><th scope="col">${t("Last used")}</th><th scope="col">${t("Service")}</th></tr></thead><tbody>${keys.map((k) => html`<tr><td class="m">${k.key_id}</td><td>${k.last_used_us ? when(k.last_used_us) : t("never")}</td><td>${k.last_used_service ?? ""}</td></tr>`)}</tbody></table></div>` : nothing}`;
}
