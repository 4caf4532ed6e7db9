// SPDX-License-Identifier: Apache-2.0
// Environment variables that each client reads itself. This is the only list: the page "CLI & SDK setup" shows it, and `dari account rc`, `dari env`
// and `dari dev` print it (src/daemon/environment/client_env.c parses the text between the outer braces as JSON). A line whose {field} has no value
// is omitted. OS_DOMAIN_NAME is for gophercloud, which does not read OS_USER_DOMAIN_NAME.
export const ENVIRONMENT = {
	"aws": [
		"AWS_ENDPOINT_URL={endpoint}", "AWS_DEFAULT_REGION={region}", "AWS_REGION={region}", "AWS_ACCESS_KEY_ID={key_id}",
		"AWS_SECRET_ACCESS_KEY={key_secret}", "AWS_CA_BUNDLE={ca}"
	],
	"openstack": [
		"OS_AUTH_URL={endpoint}/identity/v3", "OS_IDENTITY_API_VERSION=3", "OS_REGION_NAME={region}", "OS_INTERFACE=public",
		"OS_USERNAME={user}", "OS_USER_DOMAIN_NAME={user_domain}", "OS_PASSWORD={password}", "OS_PROJECT_ID={project_id}",
		"OS_PROJECT_NAME={project}", "OS_PROJECT_DOMAIN_NAME={project_domain}", "OS_DOMAIN_NAME={user_domain}", "OS_CACERT={ca}"
	],
	"openstack-credential": [
		"OS_AUTH_TYPE=v3applicationcredential", "OS_AUTH_URL={endpoint}/identity/v3", "OS_IDENTITY_API_VERSION=3",
		"OS_REGION_NAME={region}", "OS_INTERFACE=public", "OS_APPLICATION_CREDENTIAL_ID={credential_id}",
		"OS_APPLICATION_CREDENTIAL_SECRET={credential_secret}", "OS_CACERT={ca}"
	],
	"cloudstack": [
		"CLOUDSTACK_ENDPOINT={endpoint}/client/api", "CLOUDSTACK_KEY={key_id}", "CLOUDSTACK_SECRET={key_secret}",
		"CLOUDSTACK_VERIFY={ca}", "CLOUDSTACK_API_URL={endpoint}/client/api", "CLOUDSTACK_API_KEY={key_id}",
		"CLOUDSTACK_SECRET_KEY={key_secret}"
	],
	"azure": [
		"AZURE_AUTHORITY_HOST={endpoint}", "AZURE_TENANT_ID={tenant}", "AZURE_CLIENT_ID={key_id}", "AZURE_CLIENT_SECRET={key_secret}",
		"AZURE_SUBSCRIPTION_ID={project_uuid}", "REQUESTS_CA_BUNDLE={ca}"
	]
};

/** Shell lines: one variable each, without those that have no value. A null field is shown as "…". */
export function exports(client, fields) {
	const filled = (line) => line.replace(/\{(\w+)\}/g, (_, name) => fields[name] ?? "…");
	const is_there = (line) => [...line.matchAll(/\{(\w+)\}/g)].every(([, name]) => fields[name] !== undefined);
	return ENVIRONMENT[client].filter(is_there).map((line) => `export ${filled(line)}`).join("\n");
}
