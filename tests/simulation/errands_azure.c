/* SPDX-License-Identifier: Apache-2.0
 * Errands through Azure: sequences of calls without concurrent calls. One fills a resource group with
 * dependent resources and deletes the group while the process dies; another sets locks, which apply in every
 * face. Nothing remains at the end. */
#include <stdio.h>

#include "simulation.h"
#include "store/resource_group.h"

/* ---- calls ---- */

static struct str ask(struct simulation *s, unsigned account, struct str line, struct str body,
		      int *ret_status)
{
	struct str answer = request_call_through(s, account, line, body, ret_status);
	tell(s, "account %u: %" STR_FMT ": %d %" STR_FMT, account, STR_ARG(line), *ret_status,
	     STR_ARG(answer_at(answer, "error/message")));
	return answer;
}

static void expect(struct simulation *s, int status, int wanted, const char *what)
{
	if (status != wanted)
		blame(s, "%s is answered %d instead of %d", what, status, wanted);
}

/* ---- a group ---- */

#define GROUP "/resourceGroups/works"
#define NETWORK "/providers/Microsoft.Network/"
#define COMPUTE "/providers/Microsoft.Compute/"
#define NETWORK_VERSION "2022-07-01"
#define DISK_VERSION "2023-04-02"
#define MACHINE_VERSION "2022-08-01"
#define ID(type, name) "{\"id\": \"{group}/providers/" type "/" name "\"}"
#define BALANCER "Microsoft.Network/loadBalancers"

/* In an order in which each part can be created. {group}: its id. */
static const struct part {
	const char *path, *version, *body;
} parts[] = {
	{NETWORK "networkSecurityGroups/n", NETWORK_VERSION,
	 "\"properties\": {\"securityRules\": [{\"name\": \"ssh\", \"properties\": {\"priority\": 100, "
	 "\"direction\": "
	 "\"Inbound\", \"access\": \"Allow\", \"protocol\": \"Tcp\", \"sourceAddressPrefix\": \"Internet\", "
	 "\"sourcePortRange\": \"*\", \"destinationAddressPrefix\": \"*\", \"destinationPortRange\": "
	 "\"22\"}}]}"},
	{NETWORK "routeTables/r", NETWORK_VERSION,
	 "\"properties\": {\"routes\": [{\"name\": \"a\", \"properties\": {\"addressPrefix\": "
	 "\"10.99.0.0/16\", "
	 "\"nextHopType\": \"None\"}}]}"},
	{NETWORK "publicIPAddresses/p", NETWORK_VERSION,
	 "\"sku\": {\"name\": \"Standard\"}, \"properties\": {\"publicIPAllocationMethod\": \"Static\"}"},
	{NETWORK "natGateways/w", NETWORK_VERSION,
	 "\"sku\": {\"name\": \"Standard\"}, \"properties\": {\"publicIpAddresses\": [" ID(
		 "Microsoft.Network/publicIPAddresses", "p") "]}"},
	{NETWORK "virtualNetworks/v", NETWORK_VERSION,
	 "\"properties\": {\"addressSpace\": {\"addressPrefixes\": [\"10.77.0.0/16\"]}, \"subnets\": "
	 "[{\"name\": \"a\", "
	 "\"properties\": {\"addressPrefix\": \"10.77.1.0/24\", \"networkSecurityGroup\": " ID(
		 "Microsoft.Network/networkSecurityGroups",
		 "n") ", \"routeTable\": " ID("Microsoft.Network/routeTables",
					      "r") ", \"natGateway\": " ID("Microsoft.Network/"
									   "natGateways",
									   "w") "}}]}"},
	{NETWORK "loadBalancers/b", NETWORK_VERSION,
	 "\"sku\": {\"name\": \"Standard\"}, \"properties\": {\"frontendIPConfigurations\": [{\"name\": "
	 "\"f\", "
	 "\"properties\": {\"subnet\": " ID("Microsoft.Network/virtualNetworks",
					    "v/subnets/a") "}}], "
							   "\"backendAddressPools\": [{\"name\": \"q\"}]}"},
	{NETWORK "networkInterfaces/i", NETWORK_VERSION,
	 "\"properties\": {\"ipConfigurations\": [{\"name\": \"c\", \"properties\": {\"subnet\": " ID(
		 "Microsoft.Network/virtualNetworks", "v/subnets/a") ", \"loadBalancerBackendAddressPools\": "
								     "[" ID(BALANCER, "b/backendAddressPools/"
										      "q") "]}}]}"},
	{COMPUTE "disks/d", DISK_VERSION,
	 "\"properties\": {\"creationData\": {\"createOption\": \"Empty\"}, \"diskSizeGB\": 1}"},
	{COMPUTE "snapshots/s", DISK_VERSION,
	 "\"properties\": {\"creationData\": {\"createOption\": \"Copy\", \"sourceResourceId\": "
	 "\"{group}/providers/Microsoft.Compute/disks/d\"}}"},
	{COMPUTE "images/m", MACHINE_VERSION,
	 "\"properties\": {\"storageProfile\": {\"osDisk\": {\"osType\": \"Linux\", \"osState\": "
	 "\"Generalized\", "
	 "\"snapshot\": " ID("Microsoft.Compute/snapshots", "s") "}}}"},
	{COMPUTE "virtualMachines/x", MACHINE_VERSION,
	 "\"properties\": {\"hardwareProfile\": {\"vmSize\": \"t3.micro\"}, \"storageProfile\": "
	 "{\"imageReference\": "
	 "{\"publisher\": \"dari\", \"offer\": \"debian\", \"sku\": \"default\", \"version\": \"latest\"}, "
	 "\"osDisk\": "
	 "{\"createOption\": \"FromImage\"}, \"dataDisks\": [{\"lun\": 0, \"createOption\": \"Attach\", "
	 "\"managedDisk\": " ID("Microsoft.Compute/disks",
				"d") "}]}, \"networkProfile\": "
				     "{\"networkInterfaces\": [" ID("Microsoft.Network/networkInterfaces",
								    "i") "]}}"},
};
enum { PARTS = sizeof parts / sizeof *parts, MACHINE = PARTS - 1 };

static struct str line_of(struct simulation *s, unsigned account, const char *method, const struct part *part)
{
	struct str rest = str_print(s->region.cloud->arena, GROUP "%s", part->path);
	return azure_line(s, account, method, rest.p, part->version);
}

static struct str body_of(struct simulation *s, unsigned account, const struct part *part)
{
	struct arena *a = s->region.cloud->arena;
	struct str account_id = uuid_to_str(a, s->region.users[account].who.account), text = STR_NONE;
	const char *rest = part->body, *place = "{group}";
	for (const char *at; (at = strstr(rest, place)); rest = at + strlen(place))
		text = str_print(a, "%" STR_FMT "%.*s/subscriptions/%" STR_FMT GROUP, STR_ARG(text),
				 (int) (at - rest), rest, STR_ARG(account_id));
	return str_print(a, "{" AZURE_LOCATION ", %" STR_FMT "%s}", STR_ARG(text), rest);
}

static struct str shown(struct simulation *s, unsigned account, const struct part *part)
{
	int status = 0;
	struct str answer =
		request_call_through(s, account, line_of(s, account, "GET", part), STR_NONE, &status);
	expect(s, status, 200, part->path);
	return answer;
}

/* Sending the same PUT twice must change nothing, not even the etag. */
static void build(struct simulation *s, unsigned account, const struct part *part)
{
	int status = 0;
	struct str line = line_of(s, account, "PUT", part), body = body_of(s, account, part);
	(void) ask(s, account, line, body, &status);
	if (status / 100 != 2)
		blame(s, "%s cannot be made: %d", part->path, status);
	if (random_below(4) == 0)
		kill_and_restart(s);
	make_whole(s);
	cloud_settle(s->region.cloud);
	struct str before = shown(s, account, part);
	(void) ask(s, account, line, body, &status);
	expect(s, status, 200, "the same once more");
	cloud_settle(s->region.cloud);
	if (!str_equal(before, shown(s, account, part)))
		blame(s, "%s is another one when the same is said twice:\n%" STR_FMT "\n---\n%" STR_FMT,
		      part->path, STR_ARG(before), STR_ARG(shown(s, account, part)));
}

/* EC2 shows a terminated instance for a while, without its subnet. */
static void note_ended(struct simulation *s, unsigned account)
{
	struct str id = answer_at(shown(s, account, &parts[MACHINE]), "properties/vmId");
	size_t k = 0;
	while (s->model.things[k].kind != KIND_SUBNET)
		k++;
	model_add(&s->model, KIND_INSTANCE, account, &s->model.things[k], id)->life = ENDING;
}

static bool has_room(struct simulation *s, unsigned account)
{
	size_t machines = 0, routers = 0, addresses = 0;
	for (size_t k = 0; k < s->model.count; k++) {
		const struct thing *t = &s->model.things[k];
		bool counts = t->account == account && t->life != GONE;
		machines += counts && t->kind == KIND_INSTANCE && t->life == LIVE;
		routers += counts && t->kind == KIND_ROUTER;
		addresses += counts && t->kind == KIND_ADDRESS;
	}
	return machines < LIMIT_INSTANCES && routers < LIMIT_ROUTERS && addresses < LIMIT_ADDRESSES;
}

static bool is_emptied(struct cloud *c, const void *account)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct resource_group *g =
		resource_group_first_by_account(view.tables, *(const uuid *) account);
	while (g && !str_is(g->name, "works"))
		g = resource_group_next_by_account(view.tables, g);
	if (g && !g->is_deleting)
		printf("it stays: %" STR_FMT "\n", STR_ARG(g->problem));
	return !g;
}

static void step_some(struct simulation *s)
{
	for (uint64_t n = random_below(120); n > 0; n--)
		(void) region_step(&s->region, clock_now_us() + MINUTE);
}

/* All parts must be deleted, in a possible order, wherever the process dies. */
static void destroy(struct simulation *s, unsigned account)
{
	int status = 0;
	struct cloud *c = s->region.cloud;
	(void) ask(s, account, azure_line(s, account, "DELETE", GROUP, "2021-04-01"), STR_NONE, &status);
	expect(s, status, 202, "the deletion of a group");
	(void) ask(s, account, line_of(s, account, "PUT", &parts[7]), body_of(s, account, &parts[7]),
		   &status);
	if (status != 409 && status != 404)
		blame(s, "a group that is being deleted takes a disk: %d", status);
	for (uint64_t n = random_below(4); n > 0; n--) {
		step_some(s);
		kill_and_restart(s);
	}
	make_whole(s);
	if (!cloud_step_until(c, is_emptied, &s->region.users[account].who.account, 10 * MINUTE))
		blame(s, "a group that is being deleted stays");
	(void) ask(s, account, azure_line(s, account, "GET", GROUP, "2021-04-01"), STR_NONE, &status);
	expect(s, status, 404, "a group that is gone");
}

/* The group's parts depend on no other resource of the account. Creates a random number of parts, always from
 * the beginning. */
void errand_group(struct simulation *s)
{
	unsigned account = (unsigned) random_below(ACCOUNTS);
	uint64_t count = random_below(3) ? PARTS : 1 + random_below(PARTS);
	int status = 0;
	settle_and_compare(s);
	if (!has_room(s, account))
		return;
	(void) ask(s, account, azure_line(s, account, "PUT", GROUP, "2021-04-01"),
		   STR("{" AZURE_LOCATION "}"), &status);
	expect(s, status, 201, "a new group");
	for (uint64_t k = 0; k < count; k++)
		build(s, account, &parts[k]);
	if (count == PARTS)
		note_ended(s, account);
	destroy(s, account);
	settle_and_compare(s);
}

/* ---- locks ---- */

/* A resource whose deletion nothing prevents. */
static struct thing *draw_free(struct simulation *s)
{
	struct thing *picked = NULL;
	uint64_t count = 0;
	EACH (&s->model, t, KIND_VOLUME)
		if (t->life == LIVE && t->id[0] && !t->of && !t->to && !t->left && random_below(++count) == 0)
			picked = t;
	EACH (&s->model, t, KIND_ADDRESS)
		if (t->life == LIVE && t->id[0] && !t->to && random_below(++count) == 0)
			picked = t;
	return picked;
}

/* Tries to delete by any face. */
static void try_to_delete(struct simulation *s, const struct thing *t)
{
	struct arena *a = s->region.cloud->arena;
	bool is_volume = t->kind == KIND_VOLUME;
	const char *version = is_volume ? DISK_VERSION : NETWORK_VERSION;
	struct str row = uuid_to_str(a, region_find(&s->region, t->kind, t->id));
	int status = 0;
	struct str answer =
		ask(s, t->account,
		    str_print(a, "DELETE %" STR_FMT "?api-version=%s", STR_ARG(azure_id(s, t)), version),
		    STR_NONE, &status);
	if (status != 409 || !str_is(answer_at(answer, "error/code"), "ScopeLocked"))
		blame(s, "Azure deletes %s, which is locked: %d", t->id, status);
	struct str form = str_print(a, "Action=%s&%s=%s", is_volume ? "DeleteVolume" : "ReleaseAddress",
				    is_volume ? "VolumeId" : "AllocationId", t->id);
	(void) ask(s, t->account, form, STR_NONE, &status);
	if (status / 100 == 2)
		blame(s, "EC2 deletes %s, which is locked: %d", t->id, status);
	form = str_print(a, "DELETE %s/%" STR_FMT,
			 is_volume ? "/volume/v3/volumes" : "/network/v2.0/floatingips", STR_ARG(row));
	(void) ask(s, t->account, form, STR_NONE, &status);
	if (status / 100 == 2)
		blame(s, "OpenStack deletes %s, which is locked: %d", t->id, status);
	form = str_print(a, "command=%s&id=%" STR_FMT, is_volume ? "deleteVolume" : "disassociateIpAddress",
			 STR_ARG(row));
	(void) ask(s, t->account, STR("POST /client/api"), form, &status);
	if (status / 100 == 2)
		blame(s, "CloudStack deletes %s, which is locked: %d", t->id, status);
}

/* Locks the resource, or its resource group. */
void errand_lock(struct simulation *s)
{
	settle_and_compare(s);
	struct arena *a = s->region.cloud->arena;
	const struct thing *t = draw_free(s);
	int status = 0;
	if (!t)
		return;
	struct str where = t->area && random_below(2) ? azure_id(s, t->area) : azure_id(s, t);
	struct str lock =
		str_print(a, "%" STR_FMT "/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01",
			  STR_ARG(where));
	(void) ask(s, t->account, str_print(a, "PUT %" STR_FMT, STR_ARG(lock)),
		   STR("{\"properties\": {\"level\": \"CanNotDelete\"}}"), &status);
	expect(s, status, 201, "a new lock");
	try_to_delete(s, t);
	kill_and_restart(s);
	make_whole(s);
	try_to_delete(s, t);
	(void) ask(s, t->account, str_print(a, "DELETE %" STR_FMT, STR_ARG(lock)), STR_NONE, &status);
	expect(s, status, 200, "the end of a lock");
	(void) ask(s, t->account, str_print(a, "DELETE %" STR_FMT, STR_ARG(lock)), STR_NONE, &status);
	expect(s, status, 204, "the end of a lock that is gone");
	settle_and_compare(s);
}
