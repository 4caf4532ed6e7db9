/* SPDX-License-Identifier: Apache-2.0
 * Errands about Azure's template deployments: a small one is deployed, repeated, cancelled, reduced by a
 * complete deployment, and forgotten; the group's deletion deletes its resources. The process dies at random
 * times. */
#include <stdio.h>

#include "simulation.h"
#include "store/deployment.h"
#include "store/resource_group.h"

#define GROUP "/resourceGroups/plans"
#define DEPLOYMENT GROUP "/providers/Microsoft.Resources/deployments/plan"
#define VERSION "2021-04-01"

/* ---- the template ---- */

/* In an order that dependsOn has to correct. */
static const struct resource {
	const char *type, *name, *version, *needs, *body;
} resources[] = {
	{"Microsoft.Compute/snapshots", "s", "2023-04-02", "Microsoft.Compute/disks', 'd",
	 "\"creationData\": {\"createOption\": \"Copy\", \"sourceResourceId\": "
	 "\"[reference('d', '2023-04-02', 'Full').id]\"}"},
	{"Microsoft.Network/networkInterfaces", "i", "2022-07-01", "Microsoft.Network/virtualNetworks', 'v",
	 "\"ipConfigurations\": [{\"name\": \"c\", \"properties\": {\"subnet\": {\"id\": "
	 "\"[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 'a')]\"}}}]"},
	{"Microsoft.Network/virtualNetworks", "v", "2022-07-01",
	 "Microsoft.Network/networkSecurityGroups', 'n",
	 "\"addressSpace\": {\"addressPrefixes\": [\"10.66.0.0/16\"]}, \"subnets\": [{\"name\": \"a\", "
	 "\"properties\": {\"addressPrefix\": \"10.66.1.0/24\", \"networkSecurityGroup\": {\"id\": "
	 "\"[resourceId('Microsoft.Network/networkSecurityGroups', 'n')]\"}}}]"},
	{"Microsoft.Network/networkSecurityGroups", "n", "2022-07-01", NULL, "\"securityRules\": []"},
	{"Microsoft.Compute/disks", "d", "2023-04-02", NULL,
	 "\"creationData\": {\"createOption\": \"Empty\"}, \"diskSizeGB\": \"[parameters('size')]\""},
};
enum { RESOURCES = sizeof resources / sizeof *resources, DISK = RESOURCES - 1 };

/* A template with the last `count` resources. */
static struct str body_of(struct simulation *s, size_t count, bool is_complete)
{
	struct arena *a = s->region.cloud->arena;
	struct str list = STR_NONE;
	for (size_t k = RESOURCES - count; k < RESOURCES; k++) {
		const struct resource *r = &resources[k];
		struct str needs =
			r->needs ? str_print(a, ", \"dependsOn\": [\"[resourceId('%s')]\"]", r->needs)
				 : STR_NONE;
		list = str_print(
			a,
			"%" STR_FMT
			"%s{\"type\": \"%s\", \"apiVersion\": \"%s\", \"name\": \"%s\", " AZURE_LOCATION
			"%" STR_FMT ", \"properties\": {%s}}",
			STR_ARG(list), list.n ? ", " : "", r->type, r->version, r->name, STR_ARG(needs),
			r->body);
	}
	return str_print(
		a,
		"{\"properties\": {\"mode\": \"%s\", \"parameters\": {\"size\": {\"value\": 2}}, "
		"\"template\": {\"$schema\": "
		"\"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\", "
		"\"contentVersion\": \"1.0.0.0\", \"parameters\": {\"size\": {\"type\": \"int\"}}, "
		"\"resources\": [%" STR_FMT "], \"outputs\": {\"size\": {\"type\": \"int\", \"value\": "
		"\"[reference('d').diskSizeGB]\"}}}}}",
		is_complete ? "Complete" : "Incremental", STR_ARG(list));
}

/* ---- calls ---- */

static struct str ask(struct simulation *s, unsigned account, const char *method, const char *rest,
		      const char *version, struct str body, int *ret_status)
{
	struct str line = azure_line(s, account, method, rest, version),
		   answer = request_call_through(s, account, line, body, ret_status);
	tell(s, "account %u: %" STR_FMT ": %d %" STR_FMT, account, STR_ARG(line), *ret_status,
	     STR_ARG(answer_at(answer, "error/message")));
	return answer;
}

static void expect(struct simulation *s, unsigned account, const char *method, const char *rest,
		   struct str body, int wanted)
{
	int status = 0;
	(void) ask(s, account, method, rest, VERSION, body, &status);
	if (status != wanted)
		blame(s, "%s of %s is answered %d instead of %d", method, rest, status, wanted);
}

/* The resource as shown; empty if it does not exist. */
static struct str shown(struct simulation *s, unsigned account, const struct resource *r)
{
	int status = 0;
	struct str rest = str_print(s->region.cloud->arena, GROUP "/providers/%s/%s", r->type, r->name);
	struct str answer = ask(s, account, "GET", rest.p, r->version, STR_NONE, &status);
	if (status != 200 && status != 404)
		blame(s, "a look at %s is answered %d", rest.p, status);
	return status == 200 ? answer : STR_NONE;
}

/* ---- on the way ---- */

static void step_some(struct simulation *s)
{
	for (uint64_t n = random_below(80); n > 0; n--)
		(void) region_step(&s->region, clock_now_us() + MINUTE);
}

/* Lets the deployment run; the process dies a few times, or never. */
static void let_it_go_on(struct simulation *s)
{
	for (uint64_t n = random_below(3); n > 0; n--) {
		step_some(s);
		kill_and_restart(s);
	}
	make_whole(s);
}

static bool has_ended(struct cloud *c, const void *account)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct deployment *d = deployment_first_by_account(view.tables, *(const uuid *) account);
	return !d || d->ended_us;
}

/* Waits for the end; returns the resulting state. */
static struct str await_end(struct simulation *s, unsigned account, struct str *ret_answer)
{
	int status = 0;
	if (!cloud_step_until(s->region.cloud, has_ended, &s->region.users[account].who.account, 10 * MINUTE))
		blame(s, "a deployment goes on and on");
	cloud_settle(s->region.cloud);
	*ret_answer = ask(s, account, "GET", DEPLOYMENT, VERSION, STR_NONE, &status);
	if (status != 200)
		blame(s, "a deployment that has ended is answered %d", status);
	return answer_at(*ret_answer, "properties/provisioningState");
}

/* ---- the errand ---- */

static void deploy(struct simulation *s, unsigned account, size_t count, bool is_complete, int status)
{
	struct str answer = STR_NONE, body = body_of(s, count, is_complete);
	expect(s, account, "PUT", DEPLOYMENT, body, status);
	let_it_go_on(s);
	if (!str_is(await_end(s, account, &answer), "Succeeded")) {
		struct str operations =
			ask(s, account, "GET", DEPLOYMENT "/operations", VERSION, STR_NONE, &status);
		blame(s, "a deployment did not succeed: %" STR_FMT ": %" STR_FMT, STR_ARG(answer),
		      STR_ARG(operations));
	}
	if (!str_is(answer_at(answer, "properties/outputs/size/value"), "2"))
		blame(s, "a deployment has other outputs: %" STR_FMT, STR_ARG(answer));
}

/* The last `count` resources must exist, and no others. */
static void check_there(struct simulation *s, unsigned account, size_t count)
{
	for (size_t k = 0; k < RESOURCES; k++) {
		bool is_there = shown(s, account, &resources[k]).n > 0;
		if (is_there != (k >= RESOURCES - count))
			blame(s, "%s is %s", resources[k].type, is_there ? "there" : "not there");
	}
}

/* Resources that match the template must not change, not even their etag. */
static void deploy_again(struct simulation *s, unsigned account)
{
	struct str before[RESOURCES];
	for (size_t k = 0; k < RESOURCES; k++)
		before[k] = shown(s, account, &resources[k]);
	deploy(s, account, RESOURCES, random_below(2), 200);
	for (size_t k = 0; k < RESOURCES; k++)
		if (!str_equal(before[k], shown(s, account, &resources[k])))
			blame(s,
			      "%s is another one when the same is deployed twice:\n%" STR_FMT
			      "\n---\n%" STR_FMT,
			      resources[k].type, STR_ARG(before[k]),
			      STR_ARG(shown(s, account, &resources[k])));
}

/* A running deployment can be neither replaced nor forgotten, and ends when it is cancelled. Each resource
 * requested before must exist completely or not at all. */
static void cancel(struct simulation *s, unsigned account)
{
	struct str answer = STR_NONE;
	int status = 0;
	expect(s, account, "PUT", DEPLOYMENT, body_of(s, RESOURCES, false), 200);
	(void) ask(s, account, "PUT", DEPLOYMENT, VERSION, body_of(s, RESOURCES, false), &status);
	if (status != 409)
		blame(s, "a deployment that goes on is replaced: %d", status);
	(void) ask(s, account, "DELETE", DEPLOYMENT, VERSION, STR_NONE, &status);
	if (status != 409)
		blame(s, "a deployment that goes on is deleted: %d", status);
	(void) ask(s, account, "POST", DEPLOYMENT "/cancel", VERSION, STR_NONE, &status);
	if (status != 204)
		blame(s, "a deployment that goes on is not cancelled: %d", status);
	let_it_go_on(s);
	if (!str_is(await_end(s, account, &answer), "Canceled"))
		blame(s, "a deployment was not cancelled: %" STR_FMT, STR_ARG(answer));
	expect(s, account, "POST", DEPLOYMENT "/cancel", STR_NONE, 409);
}

static bool is_gone(struct cloud *c, const void *account)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct resource_group *g =
		resource_group_first_by_account(view.tables, *(const uuid *) account);
	while (g && !str_is(g->name, "plans"))
		g = resource_group_next_by_account(view.tables, g);
	return !g && !deployment_first_by_account(view.tables, *(const uuid *) account);
}

/* Deletes the group, perhaps during a deployment, which must then create nothing more. */
static void destroy(struct simulation *s, unsigned account)
{
	if (random_below(2)) {
		int status = 0;
		(void) ask(s, account, "PUT", DEPLOYMENT, VERSION, body_of(s, RESOURCES, false), &status);
		step_some(s);
	}
	expect(s, account, "DELETE", GROUP, STR_NONE, 202);
	let_it_go_on(s);
	if (!cloud_step_until(s->region.cloud, is_gone, &s->region.users[account].who.account, 10 * MINUTE))
		blame(s, "a group with a deployment stays");
	expect(s, account, "GET", GROUP, STR_NONE, 404);
}

static bool has_room(struct simulation *s, unsigned account)
{
	size_t routers = 0, groups = 0;
	EACH (&s->model, t, KIND_ROUTER)
		routers += t->account == account;
	EACH (&s->model, t, KIND_SECURITY_GROUP)
		groups += t->account == account;
	return routers < LIMIT_ROUTERS && groups < LIMIT_GROUPS;
}

void errand_deployment(struct simulation *s)
{
	unsigned account = (unsigned) random_below(ACCOUNTS);
	settle_and_compare(s);
	if (!has_room(s, account))
		return;
	expect(s, account, "PUT", GROUP, STR("{" AZURE_LOCATION "}"), 201);
	deploy(s, account, RESOURCES, random_below(2), 201);
	check_there(s, account, RESOURCES);
	if (random_below(2))
		deploy_again(s, account);
	if (random_below(2))
		cancel(s, account);
	if (random_below(2)) {
		size_t count = 1 + random_below(RESOURCES);
		deploy(s, account, count, true, 200);
		check_there(s, account, count);
	}
	if (random_below(2)) {
		expect(s, account, "DELETE", DEPLOYMENT, STR_NONE, 204);
		expect(s, account, "GET", DEPLOYMENT, STR_NONE, 404);
	}
	destroy(s, account);
	settle_and_compare(s);
}
