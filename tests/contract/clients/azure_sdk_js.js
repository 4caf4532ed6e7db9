// SPDX-License-Identifier: Apache-2.0
// Azure's SDK for JavaScript: signs in by a secret and by a certificate, and does what is asked of resource groups, tags, roles and
// locks. What it saw is written as JSON. Started by tests/contract/clients/azure_sdk_js.py, which says where and as whom.
"use strict";
const { createRequire } = require("module");
const asked = JSON.parse(process.env.ASKED);
const load = createRequire(asked.modules + "/");
const { ClientSecretCredential, ClientCertificateCredential, UsernamePasswordCredential } = load("@azure/identity");
const { ResourceManagementClient } = load("@azure/arm-resources");
const { AuthorizationManagementClient } = load("@azure/arm-authorization");

const how = { authorityHost: asked.url, disableInstanceDiscovery: true };
const where = { endpoint: asked.url, credentialScopes: [`${asked.url}/.default`] };

async function all(pages) {
    const seen = [];
    for await (const one of pages)
        seen.push(one);
    return seen;
}

async function refusal(call) {
    try {
        await call;
        return null;
    } catch (problem) {
        return problem.code || problem.errorResponse?.error || problem.name;
    }
}

async function main() {
    const secret = new ClientSecretCredential(asked.tenant, asked.client, asked.secret, how);
    const certificate = new ClientCertificateCredential(asked.tenant, asked.program, asked.pem, how);
    const person = new UsernamePasswordCredential(asked.tenant, "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "dev", asked.password, how);
    const wrong = new ClientSecretCredential(asked.tenant, asked.client, "wrong", how);
    const resources = new ResourceManagementClient(secret, asked.subscription, where);
    const rights = new AuthorizationManagementClient(secret, asked.subscription, where);
    const scope = `/subscriptions/${asked.subscription}/resourceGroups/js-rg`;
    const told = {};
    told.wrong = await refusal(wrong.getToken(where.credentialScopes));
    told.made = await resources.resourceGroups.createOrUpdate("js-rg", { location: asked.location, tags: { made: "by js" } });
    told.tags = await resources.tagsOperations.updateAtScope(scope, { operation: "Merge", properties: { tags: { more: "1" } } });
    told.groups = (await all(resources.resourceGroups.list())).map((one) => one.name);
    told.resources = (await all(resources.resources.list())).map((one) => one.type);
    told.roles = (await all(rights.roleDefinitions.list(scope))).map((one) => one.roleName);
    const role = `/subscriptions/${asked.subscription}/providers/Microsoft.Authorization/roleDefinitions/${asked.reader}`;
    told.assigned = await rights.roleAssignments.create(scope, asked.assignment, { roleDefinitionId: role, principalId: asked.program });
    const reader = new ResourceManagementClient(certificate, asked.subscription, where);
    told.read = (await reader.resourceGroups.get("js-rg")).name;
    told.refused = await refusal(reader.resourceGroups.createOrUpdate("js-rg", { location: asked.location }));
    told.person = (await all(new ResourceManagementClient(person, asked.subscription, where).resourceGroups.list())).length;
    await rights.roleAssignments.delete(scope, asked.assignment);
    await resources.resourceGroups.beginDeleteAndWait("js-rg");
    told.gone = (await resources.resourceGroups.checkExistence("js-rg")).body;
    process.stdout.write(JSON.stringify(told));
}

main().catch((problem) => {
    process.stderr.write(`${problem.stack}\n`);
    process.exit(1);
});
