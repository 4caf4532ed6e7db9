/* SPDX-License-Identifier: Apache-2.0
 * Errands: sequences of CloudStack calls without concurrent calls, whose results are certain. They cover what
 * the model cannot express, because nothing of it remains at the end. Every face is checked between steps. */
#include <stdio.h>

#include "model/account.h"
#include "simulation.h"
#include "store/account.h"
#include "store/address.h"
#include "store/firewall_rule.h"
#include "store/instance.h"
#include "store/load_balancer_member.h"
#include "store/network.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/security_group.h"

/* ---- calls ---- */

/* Sends command=…; *ret_status: CloudStack's error code, or 200. */
static struct str ask(struct simulation *s, unsigned account, int *ret_status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static struct str ask(struct simulation *s, unsigned account, int *ret_status, const char *format, ...)
{
	char form[TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void) vsnprintf(form, sizeof form, format, args);
	va_end(args);
	struct str answer =
		request_call_through(s, account, STR("POST /client/api"), str_from(form), ret_status);
	tell(s, "account %u: %s: %d %" STR_FMT, account, form, *ret_status,
	     STR_ARG(answer_at(answer, "errortext")));
	return answer;
}

static const char *id_of(struct simulation *s, const struct thing *t, char text[UUID_TEXT_SIZE])
{
	return uuid_write(region_find(&s->region, t->kind, t->id), text);
}

/* Picks a machine at rest, in a state that each of these commands accepts. */
static struct thing *draw_machine(struct simulation *s)
{
	struct thing *picked = NULL;
	uint64_t count = 0;
	settle_and_compare(s);
	EACH (&s->model, t, KIND_INSTANCE) {
		bool is_plain = !t->is_paused && !t->is_saved && !t->is_rescued && !t->is_shelved &&
				!t->is_resized && !t->may_not_end && !t->may_not_stop && !t->has_lost_port;
		if (t->life == LIVE && t->id[0] && is_plain && random_below(++count) == 0)
			picked = t;
	}
	return picked;
}

/* Its data disks become free; interfaces that were attached separately stay. */
static void lose_disks(struct simulation *s, const struct thing *machine)
{
	EACH (&s->model, t, KIND_VOLUME)
		if (t->to == machine)
			t->to = NULL;
}

/* ---- destroyed ---- */

static void check_destroyed(struct simulation *s, const struct thing *t)
{
	char id[UUID_TEXT_SIZE];
	int status = 0;
	struct arena *a = s->region.cloud->arena;
	uuid u = region_find(&s->region, KIND_INSTANCE, t->id);
	if (cloud_guest(s->region.cloud, u).is_on)
		blame(s, "%s runs although it is destroyed", t->id);
	if (cloud_state(s->region.cloud, u) != INSTANCE_DESTROYED)
		blame(s, "%s is not destroyed", t->id);
	struct str form = str_print(a, "Action=DescribeInstances&InstanceId.1=%s", t->id);
	struct str shown = answer_at(request_get_answer(s, t->account, form.p),
				     "reservationSet/item/instancesSet/item/instanceState/name");
	if (!str_is(shown, "stopped"))
		blame(s, "EC2 has %s as %" STR_FMT, t->id, STR_ARG(shown));
	struct str line = str_print(a, "GET /compute/v2.1/servers/%s", id_of(s, t, id));
	(void) request_call_through(s, t->account, line, STR_NONE, &status);
	if (status != 200 && status != 404)
		blame(s, "Nova answers %d of a destroyed server", status);
	(void) ask(s, t->account, &status, "command=startVirtualMachine&id=%s", id);
	if (status == 200)
		blame(s, "%s was started although it is destroyed", t->id);
}

void errand_destroy(struct simulation *s)
{
	struct thing *t = draw_machine(s);
	char id[UUID_TEXT_SIZE];
	int status = 0;
	bool recovers = random_below(2);
	if (!t)
		return;
	(void) ask(s, t->account, &status, "command=destroyVirtualMachine&id=%s", id_of(s, t, id));
	if (status != 200)
		blame(s, "%s cannot be destroyed: %d", t->id, status);
	lose_disks(s, t);
	cloud_settle(s->region.cloud);
	check_destroyed(s, t);
	(void) ask(s, t->account, &status, "command=%sVirtualMachine&id=%s", recovers ? "recover" : "expunge",
		   id);
	if (status != 200)
		blame(s, "%s cannot be %s: %d", t->id, recovers ? "recovered" : "expunged", status);
	t->wanted_on = false;
	server_move(t);
	if (!recovers)
		server_end(s, t);
	settle_and_compare(s);
}

/* ---- forwardings ---- */

static size_t count_forwardings(struct simulation *s, unsigned account, const char *address)
{
	struct arena *a = s->region.cloud->arena;
	struct str line = str_print(a, "GET /network/v2.0/floatingips/%s/port_forwardings", address), item;
	struct str set = answer_at(request_get_answer(s, account, line.p), "port_forwardings");
	size_t count = 0, other = 0;
	while (answer_next_item(&set, &item))
		count++;
	line = str_print(a, "GET /client/api?command=listPortForwardingRules&ipaddressid=%s", address);
	set = answer_at(request_get_answer(s, account, line.p),
			"listportforwardingrulesresponse/portforwardingrule");
	while (answer_next_item(&set, &item))
		other++;
	if (count != other)
		blame(s, "Neutron has %zu forwardings, and CloudStack %zu", count, other);
	return count;
}

/* Deletes one end of the forwarding, which deletes the forwarding, too. */
static void end_forwarding(struct simulation *s, struct thing *t, const char *machine, const char *address,
			   const char *rule)
{
	int status = 0;
	switch (random_below(3)) {
	case 0:
		(void) ask(s, t->account, &status, "command=deletePortForwardingRule&id=%s", rule);
		break;
	case 1:
		(void) ask(s, t->account, &status, "command=destroyVirtualMachine&expunge=true&id=%s",
			   machine);
		lose_disks(s, t);
		server_end(s, t);
		break;
	default: /* with the address, at the end */
		return;
	}
	if (status != 200)
		blame(s, "the forwarding cannot end: %d", status);
	cloud_settle(s->region.cloud);
	if (count_forwardings(s, t->account, address) != 0)
		blame(s, "a forwarding leads nowhere");
}

static void forward(struct simulation *s, struct thing *t, const char *address)
{
	char machine[UUID_TEXT_SIZE], rule[UUID_TEXT_SIZE];
	struct arena *a = s->region.cloud->arena;
	int status = 0;
	struct str answer = ask(s, t->account, &status,
				"command=createPortForwardingRule&ipaddressid=%s&virtualmachineid=%s&"
				"protocol=tcp&publicport=22&"
				"privateport=22",
				address, id_of(s, t, machine));
	size_t nics = 0;
	EACH (&s->model, port, KIND_PORT)
		nics += port->of == t || port->to == t;
	bool has_way = nics == 1 && model_gateway(&s->model, model_vpc(t)) != NULL;
	if ((status == 200) != has_way)
		blame(s, "a forwarding %s a way in, or a choice: %d", has_way ? "with" : "without", status);
	if (status != 200)
		return;
	snprintf(rule, sizeof rule, "%" STR_FMT, STR_ARG(answer_at(answer, "id")));
	cloud_settle(s->region.cloud);
	if (count_forwardings(s, t->account, address) != 1)
		blame(s, "the forwarding is not there");
	struct str body =
		str_print(a, "command=enableStaticNat&ipaddressid=%s&virtualmachineid=%s", address, machine);
	(void) ask(s, t->account, &status, "%" STR_FMT, STR_ARG(body));
	if (status == 200)
		blame(s, "an address with a forwarding stands for a machine, too");
	end_forwarding(s, t, machine, address, rule);
}

static size_t count_addresses(struct simulation *s, unsigned account)
{
	size_t used = 0;
	EACH (&s->model, t, KIND_ADDRESS)
		used += t->account == account;
	return used;
}

void errand_forward(struct simulation *s)
{
	struct thing *t = draw_machine(s);
	char address[UUID_TEXT_SIZE];
	int status = 0;
	/* CloudStack gives an account without an IPv4 network no address. */
	if (!t || !t->of || t->of->block.base.family == IP_V6)
		return;
	bool fits = count_addresses(s, t->account) < LIMIT_ADDRESSES;
	struct str answer =
		ask(s, t->account, &status, "command=associateIpAddress&zoneid=%s", s->region.zone);
	if ((status == 200) != fits)
		blame(s, "an address was %s: %d", fits ? "refused" : "given above the limit", status);
	if (status != 200)
		return;
	snprintf(address, sizeof address, "%" STR_FMT, STR_ARG(answer_at(answer, "id")));
	forward(s, t, address);
	(void) ask(s, t->account, &status, "command=disassociateIpAddress&id=%s", address);
	if (status != 200)
		blame(s, "the address cannot be given back: %d", status);
	settle_and_compare(s);
}

/* ---- networks ---- */

/* Id of the first offering with that name in a list. */
static struct str offering_of(struct simulation *s, unsigned account, const char *command, const char *path)
{
	struct arena *a = s->region.cloud->arena;
	struct str line = str_print(a, "GET /client/api?command=%s", command);
	return answer_at(request_get_answer(s, account, line.p), path);
}

struct site {
	unsigned account;
	char vpc[UUID_TEXT_SIZE], network[UUID_TEXT_SIZE], machine[UUID_TEXT_SIZE], address[UUID_TEXT_SIZE];
	char acl[UUID_TEXT_SIZE], balancer[UUID_TEXT_SIZE];
	size_t forwardings;
};

static void take_id(char id[UUID_TEXT_SIZE], struct str text)
{
	snprintf(id, UUID_TEXT_SIZE, "%" STR_FMT, STR_ARG(text));
}

#define OFFERINGS "listnetworkofferingsresponse/networkoffering/item/id"
static bool build_tier(struct simulation *s, struct site *site)
{
	int status = 0;
	struct str vpc = offering_of(s, site->account, "listVPCOfferings",
				     "listvpcofferingsresponse/vpcoffering/item/id");
	struct str answer = ask(s, site->account, &status,
				"command=createVPC&name=works&displaytext=x&cidr=10.88.0.0/16&zoneid=%s&"
				"vpcofferingid=%" STR_FMT,
				s->region.zone, STR_ARG(vpc));
	if (status != 200)
		return false;
	take_id(site->vpc, answer_at(answer, "id"));
	struct str tier = offering_of(
		s, site->account, "listNetworkOfferings&name=DefaultIsolatedNetworkOfferingForVpcNetworks",
		OFFERINGS);
	answer = ask(
		s, site->account, &status,
		"command=createNetwork&name=tier&vpcid=%s&gateway=10.88.1.1&netmask=255.255.255.0&zoneid=%s&"
		"networkofferingid=%" STR_FMT,
		site->vpc, s->region.zone, STR_ARG(tier));
	if (status != 200)
		blame(s, "a new VPC takes no tier: %d", status);
	take_id(site->network, answer_at(answer, "network/id"));
	return true;
}

static bool build_isolated(struct simulation *s, struct site *site)
{
	int status = 0;
	struct str offering =
		offering_of(s, site->account, "listNetworkOfferings&availability=Required", OFFERINGS);
	struct str answer = ask(s, site->account, &status,
				"command=createNetwork&name=inner&zoneid=%s&networkofferingid=%" STR_FMT,
				s->region.zone, STR_ARG(offering));
	take_id(site->network, answer_at(answer, "network/id"));
	return status == 200;
}

/* Number of items in a list of CloudStack. */
static size_t count_items(struct simulation *s, unsigned account, const char *path, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static size_t count_items(struct simulation *s, unsigned account, const char *path, const char *format, ...)
{
	char line[TEXT_MAX] = "GET /client/api?command=";
	size_t at = strlen(line), count = 0;
	va_list args;
	va_start(args, format);
	(void) vsnprintf(line + at, sizeof line - at, format, args);
	va_end(args);
	struct str set = answer_at(request_get_answer(s, account, line), path), item;
	while (answer_next_item(&set, &item))
		count++;
	return count;
}

static void must(struct simulation *s, int status, const char *what)
{
	if (status != 200)
		blame(s, "%s: %d", what, status);
}

/* Gives the tier an ACL list of its own with items, and deletes one item. Without any egress item the list
 * would allow all traffic out. */
static void write_acl(struct simulation *s, struct site *site)
{
	static const char path[] = "listnetworkaclsresponse/networkacl";
	int status = 0;
	char rule[UUID_TEXT_SIZE];
	struct str answer =
		ask(s, site->account, &status, "command=createNetworkACLList&name=mine&vpcid=%s", site->vpc);
	must(s, status, "a VPC takes no list of rules");
	take_id(site->acl, answer_at(answer, "id"));
	for (int port = 23; port > 21; port--) { /* the last item is for ingress */
		answer = ask(s, site->account, &status,
			     "command=createNetworkACL&aclid=%s&protocol=tcp&startport=%d&endport=%d&"
			     "cidrlist=10.0.0.0/8&"
			     "traffictype=%s",
			     site->acl, port, port, port == 22 ? "ingress" : "egress");
		must(s, status, "a list takes no rule");
	}
	take_id(rule, answer_at(answer, "id"));
	(void) ask(s, site->account, &status, "command=replaceNetworkACLList&aclid=%s&networkid=%s",
		   site->acl, site->network);
	must(s, status, "a tier takes no list of rules");
	cloud_settle(s->region.cloud);
	if (count_items(s, site->account, path, "listNetworkACLs&aclid=%s", site->acl) != 2)
		blame(s, "a list has not the two rules that it was given");
	(void) ask(s, site->account, &status, "command=deleteNetworkACLList&id=%s", site->acl);
	if (status == 200)
		blame(s, "a list of rules goes that a tier has");
	(void) ask(s, site->account, &status, "command=deleteNetworkACL&id=%s", rule);
	must(s, status, "a rule cannot be deleted");
	cloud_settle(s->region.cloud);
	if (count_items(s, site->account, path, "listNetworkACLs&aclid=%s", site->acl) != 1)
		blame(s, "a rule of a list is there after its end");
}

/* Balances a port of the address to the machine. */
static void balance(struct simulation *s, struct site *site)
{
	int status = 0;
	struct str answer = ask(s, site->account, &status,
				"command=createLoadBalancerRule&name=spread&publicipid=%s&networkid=%s&"
				"algorithm=roundrobin&publicport=80&privateport=8080",
				site->address, site->network);
	must(s, status, "a new address takes no load balancer");
	take_id(site->balancer, answer_at(answer, "id"));
	(void) ask(s, site->account, &status, "command=assignToLoadBalancerRule&id=%s&virtualmachineids=%s",
		   site->balancer, site->machine);
	must(s, status, "a load balancer takes no machine");
	cloud_settle(s->region.cloud);
	if (count_items(s, site->account, "listloadbalancerruleinstancesresponse/loadbalancerruleinstance",
			"listLoadBalancerRuleInstances&id=%s", site->balancer) != 1)
		blame(s, "a load balancer has not the machine that it was given");
}

static void end_balancer(struct simulation *s, const struct site *site)
{
	int status = 0;
	if (!site->balancer[0])
		return;
	if (count_items(s, site->account, "listloadbalancerruleinstancesresponse/loadbalancerruleinstance",
			"listLoadBalancerRuleInstances&id=%s", site->balancer) != 0)
		blame(s, "a load balancer has a machine that is gone");
	(void) ask(s, site->account, &status, "command=deleteLoadBalancerRule&id=%s", site->balancer);
	must(s, status, "a load balancer cannot be deleted");
}

/* Creates as many parts as the account's limits allow. */
static void furnish(struct simulation *s, struct site *site)
{
	struct region *r = &s->region;
	int status = 0;
	struct str answer = ask(s, site->account, &status,
				"command=deployVirtualMachine&zoneid=%s&templateid=%s&serviceofferingid=%s&"
				"networkids=%s",
				r->zone, r->template, r->offering, site->network);
	if (status == 200)
		take_id(site->machine, answer_at(answer, "id"));
	answer = ask(s, site->account, &status, "command=associateIpAddress&%s=%s",
		     site->vpc[0] ? "vpcid" : "networkid", site->vpc[0] ? site->vpc : site->network);
	if (status == 200)
		take_id(site->address, answer_at(answer, "id"));
	for (int port = 22; site->machine[0] && site->address[0] && port < 24; port++) {
		(void) ask(s, site->account, &status,
			   "command=createPortForwardingRule&ipaddressid=%s&virtualmachineid=%s&protocol=tcp&"
			   "publicport=%d&privateport=%d",
			   site->address, site->machine, port, port);
		if (status != 200)
			blame(s, "no port of a new address leads into its network: %d", status);
		site->forwardings++;
	}
	if (site->machine[0] && site->address[0])
		balance(s, site);
	if (site->vpc[0])
		write_acl(s, site);
}

/* Each forwarding, and the load balancer, must have created a firewall rule if the network has a firewall. */
static void check_site(struct simulation *s, const struct site *site)
{
	if (!site->address[0])
		return;
	struct arena *a = s->region.cloud->arena;
	struct str line =
		str_print(a, "GET /client/api?command=listFirewallRules&ipaddressid=%s", site->address);
	struct str set = answer_at(request_get_answer(s, site->account, line.p),
				   "listfirewallrulesresponse/firewallrule"),
		   item;
	size_t rules = 0;
	while (answer_next_item(&set, &item))
		rules++;
	if (rules != (site->vpc[0] ? 0 : site->forwardings + (site->balancer[0] != 0)))
		blame(s, "%zu firewall rules for %zu forwardings", rules, site->forwardings);
	if (count_forwardings(s, site->account, site->address) != site->forwardings)
		blame(s, "the forwardings into a network are not there");
}

/* EC2 shows a terminated instance for a while, without its subnet. */
static void note_ended(struct simulation *s, const struct site *site)
{
	size_t k = 0;
	while (s->model.things[k].kind != KIND_SUBNET)
		k++;
	model_add(&s->model, KIND_INSTANCE, site->account, &s->model.things[k], str_from(site->machine))
		->life = ENDING;
}

static bool has_open_group(const struct tables *t, const struct port *port)
{
	for (size_t k = 0; k < port->groups.count; k++) {
		const struct security_group *group = security_group_find(t, port->groups.at[k]);
		if (group && str_is(group->name, "behind-firewall"))
			return true;
	}
	return false;
}

/* True if another machine of the account, created by some CloudStack call, is in the group. */
static bool is_open_group_used(struct simulation *s, unsigned account)
{
	bool is_used = false;
	AUTO_VIEW view = {0};
	view_open(s->region.cloud->store, &view);
	for (const struct port *p = port_first(view.tables); p && !is_used; p = port_next(view.tables, p))
		is_used = uuid_equal(p->account, s->region.users[account].who.account) &&
			  row_is_live(&p->row) && has_open_group(view.tables, p);
	return is_used;
}

/* A network is deleted only after its machines, and together with addresses acquired for it. The model does
 * not contain its machine's group. */
static void tear_down(struct simulation *s, const struct site *site)
{
	int status = 0;
	if (site->machine[0]) {
		(void) ask(s, site->account, &status, "command=deleteNetwork&id=%s", site->network);
		if (status == 200)
			blame(s, "a network goes with a machine in it");
		(void) ask(s, site->account, &status, "command=destroyVirtualMachine&expunge=true&id=%s",
			   site->machine);
		if (status != 200)
			blame(s, "a machine cannot be expunged: %d", status);
		note_ended(s, site);
		cloud_settle(s->region.cloud);
		if (site->address[0] && count_forwardings(s, site->account, site->address) != 0)
			blame(s, "a forwarding leads to a machine that is gone");
		end_balancer(s, site);
	}
	(void) ask(s, site->account, &status, "command=deleteNetwork&id=%s", site->network);
	if (status != 200)
		blame(s, "a network cannot be deleted: %d", status);
	cloud_settle(s->region.cloud);
	if (site->machine[0]) {
		bool is_used = is_open_group_used(s, site->account);
		(void) ask(s, site->account, &status, "command=deleteSecurityGroup&name=behind-firewall");
		if ((status == 200) == is_used)
			blame(s, "the open group of a machine that is gone%s: %d",
			      is_used ? " is deleted, though another is in it" : " cannot be deleted",
			      status);
	}
	if (!site->vpc[0])
		return;
	(void) ask(s, site->account, &status, "command=deleteNetworkACLList&id=%s", site->acl);
	must(s, status, "a list of rules that no tier has cannot be deleted");
	(void) ask(s, site->account, &status, "command=deleteVPC&id=%s", site->vpc);
	if (status != 200)
		blame(s, "a VPC cannot be deleted: %d", status);
}

void errand_network(struct simulation *s)
{
	struct site site = {.account = (unsigned) random_below(ACCOUNTS)};
	settle_and_compare(s);
	if (!(random_below(2) ? build_tier(s, &site) : build_isolated(s, &site)))
		return;
	furnish(s, &site);
	cloud_settle(s->region.cloud);
	check_site(s, &site);
	tear_down(s, &site);
	settle_and_compare(s);
}

/* ---- a volume of two instances ---- */

struct str ask_ec2(struct simulation *s, unsigned account, int *ret_status, const char *format, ...)
{
	char form[TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void) vsnprintf(form, sizeof form, format, args);
	va_end(args);
	struct str answer = request_call_through(s, account, str_from(form), STR_NONE, ret_status);
	tell(s, "account %u: %s: %d %" STR_FMT, account, form, *ret_status,
	     STR_ARG(answer_at(answer, "Errors/Error/Message")));
	return answer;
}

/* A shareable volume that is free or attached to that instance only; creates one if there is none. */
static struct thing *find_shared(struct simulation *s, struct thing *machine)
{
	int status = 0;
	EACH (&s->model, t, KIND_VOLUME)
		if (t->is_shared && t->life == LIVE && t->account == machine->account && !t->left &&
		    (!t->to || t->to == machine))
			return t;
	struct str answer =
		ask_ec2(s, machine->account, &status,
			"Action=CreateVolume&AvailabilityZone=xy-west-2a&Size=4&VolumeType=io2&Iops=100&"
			"MultiAttachEnabled=true");
	if (status != 200) /* the account has reached its limit, or encrypts all volumes */
		return NULL;
	struct thing *t =
		model_add(&s->model, KIND_VOLUME, machine->account, NULL, answer_at(answer, "volumeId"));
	t->gibibytes = 4;
	t->is_shared = true;
	cloud_settle(s->region.cloud);
	return t;
}

static uuid place_of(struct simulation *s, const struct thing *machine)
{
	uuid id = region_find(&s->region, KIND_INSTANCE, machine->id);
	AUTO_VIEW view = {0};
	view_open(s->region.cloud->store, &view);
	const struct instance *i = instance_find(view.tables, id);
	return i ? i->host : UUID_NONE;
}

/* Another machine of the account on the same host, according to the model. */
static struct thing *find_neighbour(struct simulation *s, const struct thing *machine)
{
	uuid host = place_of(s, machine);
	EACH (&s->model, t, KIND_INSTANCE) {
		bool is_plain = t->life == LIVE && t->id[0] && !t->is_paused && !t->is_saved &&
				!t->is_rescued && !t->is_shelved && !t->is_resized && !t->may_not_end;
		if (t != machine && t->account == machine->account && is_plain && !uuid_is_none(host) &&
		    uuid_equal(place_of(s, t), host))
			return t;
	}
	return NULL;
}

static bool plug(struct simulation *s, struct thing *volume, const struct thing *machine, const char *device)
{
	int status = 0;
	struct str answer = ask_ec2(s, volume->account, &status,
				    "Action=AttachVolume&VolumeId=%s&InstanceId=%s&Device=%s", volume->id,
				    machine->id, device);
	cloud_settle(s->region.cloud);
	if (status != 200 && !str_contains(answer_at(answer, "Errors/Error/Message"), str_from(device)))
		blame(s, "%s cannot be attached to %s: %d", volume->id, machine->id, status);
	return status == 200;
}

/* EC2 and Cinder must show `wanted` attachments, one of them to that instance. */
static void check_shared(struct simulation *s, const struct thing *volume, size_t wanted,
			 const struct thing *machine)
{
	struct arena *a = s->region.cloud->arena;
	char id[UUID_TEXT_SIZE];
	struct str form = str_print(a, "Action=DescribeVolumes&VolumeId.1=%s", volume->id), item;
	struct str shown = answer_at(request_get_answer(s, volume->account, form.p), "volumeSet/item");
	struct str set = answer_at(shown, "attachmentSet");
	size_t count = 0, others = 0;
	bool has = false;
	for (; answer_next_item(&set, &item); count++)
		has = has || model_is_id(answer_at(item, "instanceId"), machine);
	if (count != wanted || (wanted && !has) ||
	    !str_is(answer_at(shown, "status"), wanted ? "in-use" : "available"))
		blame(s, "EC2 shows %zu attachments of %s instead of %zu, or not that to %s", count,
		      volume->id, wanted, machine->id);
	form = str_print(a, "GET /volume/v3/volumes/%s", id_of(s, volume, id));
	set = answer_at(request_get_answer(s, volume->account, form.p), "volume/attachments");
	while (answer_next_item(&set, &item))
		others++;
	if (others != wanted)
		blame(s, "Cinder shows %zu attachments of %s instead of %zu", others, volume->id, wanted);
}

static void unplug(struct simulation *s, const struct thing *volume, const struct thing *machine)
{
	int status = 0;
	(void) ask_ec2(s, volume->account, &status, "Action=DetachVolume&VolumeId=%s&InstanceId=%s",
		       volume->id, machine->id);
	if (status != 200)
		blame(s, "%s cannot be detached from %s: %d", volume->id, machine->id, status);
	cloud_settle(s->region.cloud);
}

/* Detaches the first instance, deletes it, or detaches the second; the other attachment must remain. */
static void part(struct simulation *s, struct thing *volume, struct thing *first, struct thing *second)
{
	int status = 0;
	uint64_t way = random_below(4);
	struct thing *goes = way == 0 ? second : first, *stays = way == 0 ? first : second;
	if (way < 2) {
		unplug(s, volume, goes);
	} else {
		(void) ask_ec2(s, goes->account, &status, "Action=TerminateInstances&InstanceId.1=%s",
			       goes->id);
		if (status != 200)
			blame(s, "%s cannot be terminated: %d", goes->id, status);
		lose_disks(s, goes);
		server_end(s, goes);
		cloud_settle(s->region.cloud);
	}
	check_shared(s, volume, 1, stays);
	if (way == 3) {
		unplug(s, volume, stays);
		check_shared(s, volume, 0, stays);
		volume->to = NULL;
		return;
	}
	volume->to = stays;
	snprintf(volume->name, sizeof volume->name, "%s", way == 0 ? "/dev/sdo" : "/dev/sdp");
}

void errand_share(struct simulation *s)
{
	struct thing *first = draw_machine(s), *second = first ? find_neighbour(s, first) : NULL;
	struct thing *volume = second ? find_shared(s, first) : NULL;
	int status = 0;
	if (!volume)
		return;
	if (volume->to)
		unplug(s, volume, first);
	volume->to = NULL;
	volume->left = NULL;
	if (!plug(s, volume, first, "/dev/sdo"))
		return;
	volume->to = first;
	snprintf(volume->name, sizeof volume->name, "/dev/sdo");
	check_shared(s, volume, 1, first);
	if (!plug(s, volume, second, "/dev/sdp"))
		return;
	check_shared(s, volume, 2, first);
	check_shared(s, volume, 2, second);
	(void) ask_ec2(s, volume->account, &status, "Action=DeleteVolume&VolumeId=%s", volume->id);
	if (status == 200)
		blame(s, "%s is deleted while two instances have it", volume->id);
	part(s, volume, first, second);
	settle_and_compare(s);
}

/* ---- snapshots by a plan ---- */

/* A volume has one policy for each interval: a new one replaces it. A policy takes no snapshot before its
 * time, and can be deleted. */
void errand_plan(struct simulation *s)
{
	static const char path[] = "listsnapshotpoliciesresponse/snapshotpolicy";
	struct thing *volume = NULL;
	uint64_t count = 0;
	char id[UUID_TEXT_SIZE], policy[UUID_TEXT_SIZE];
	int status = 0;
	settle_and_compare(s);
	EACH (&s->model, t, KIND_VOLUME)
		if (t->life == LIVE && t->id[0] && !model_may_have_ended(t) && random_below(++count) == 0)
			volume = t;
	if (!volume)
		return;
	(void) id_of(s, volume, id);
	struct str answer = STR_NONE;
	for (int minute = 0; minute < 2; minute++) {
		answer = ask(s, volume->account, &status,
			     "command=createSnapshotPolicy&volumeid=%s&intervaltype=MONTHLY&schedule=%d:0:28&"
			     "timezone=UTC&maxsnaps=%d",
			     id, minute, minute + 1);
		must(s, status, "a volume takes no snapshot policy");
	}
	take_id(policy, answer_at(answer, "snapshotpolicy/id"));
	if (count_items(s, volume->account, path, "listSnapshotPolicies&volumeid=%s", id) != 1)
		blame(s, "the policies of %s are not the one that took another's place", volume->id);
	(void) ask(s, volume->account, &status, "command=deleteSnapshotPolicies&id=%s", policy);
	must(s, status, "a snapshot policy cannot be deleted");
	if (count_items(s, volume->account, path, "listSnapshotPolicies&volumeid=%s", id) != 0)
		blame(s, "a policy of %s is there after its end", volume->id);
	settle_and_compare(s);
}

/* ---- to another account ---- */

static struct thing *find_default_subnet(struct simulation *s, unsigned account)
{
	EACH (&s->model, t, KIND_SUBNET)
		if (t->is_default && t->account == account && t->life == LIVE)
			return t;
	return NULL;
}

/* Excludes a root disk that has been replaced. */
static bool is_disk_of(const struct thing *volume, const struct thing *machine)
{
	return volume->life == LIVE && (volume->of == machine || volume->to == machine);
}

static bool has_snapshot(struct simulation *s, const struct thing *machine)
{
	EACH (&s->model, t, KIND_SNAPSHOT)
		if (t->to && !t->is_bound && t->life == LIVE && is_disk_of(t->to, machine))
			return true;
	return false;
}

static bool has_address(struct simulation *s, const struct thing *machine)
{
	EACH (&s->model, t, KIND_ADDRESS)
		if (t->to && (t->to->of == machine || t->to->to == machine))
			return true;
	return false;
}

/* True if the transfer must be refused. */
static bool is_barred(struct simulation *s, const struct thing *t, unsigned taker)
{
	size_t count = 0;
	EACH (&s->model, other, KIND_INSTANCE)
		count += other->account == taker && other->life == LIVE;
	return t->wanted_on || taker == t->account || count >= LIMIT_INSTANCES || t->is_alone ||
	       t->is_hosted || has_snapshot(s, t) || has_address(s, t) || !find_default_subnet(s, taker);
}

/* True for refusals whose reason the model does not contain. */
static bool may_be_barred(struct str text)
{
	return str_contains(text, STR("does not have access to the template"));
}

static void give_port(struct simulation *s, struct thing *t)
{
	char form[120], id[UUID_TEXT_SIZE];
	EACH (&s->model, port, KIND_PORT) {
		if (port->of == t)
			model_end(&s->model, port, GONE);
		else if (port->to == t) /* the port stays with the old account */
			port->to = NULL;
	}
	struct thing *port = model_add(&s->model, KIND_PORT, t->account, t, STR_NONE);
	snprintf(form, sizeof form, "GET /network/v2.0/ports?device_id=%s", id_of(s, t, id));
	ipv6_take(s, port, answer_at(request_get_answer(s, t->account, form), "ports/item/fixed_ips"));
}

/* The names that Azure's users gave end with the change of the account. */
static void lose_name(struct thing *t)
{
	t->arm[0] = '\0';
	t->area = NULL;
}

static void give(struct simulation *s, struct thing *t, unsigned taker)
{
	struct thing *subnet = find_default_subnet(s, taker);
	EACH (&s->model, volume, KIND_VOLUME)
		if (is_disk_of(volume, t)) {
			volume->account = taker;
			volume->origin = NULL;
			lose_name(volume);
		}
	t->account = taker;
	t->origin = NULL;
	t->near = NULL;
	lose_name(t);
	t->of = subnet;
	t->is_public = subnet->is_public;
	t->group = model_default_group(&s->model, subnet);
	give_port(s, t);
}

static void stop(struct simulation *s, struct thing *t)
{
	char id[UUID_TEXT_SIZE];
	int status = 0;
	(void) ask(s, t->account, &status, "command=stopVirtualMachine&id=%s", id_of(s, t, id));
	if (status != 200)
		blame(s, "%s cannot be stopped: %d", t->id, status);
	t->wanted_on = false;
	server_move(t);
	cloud_settle(s->region.cloud);
}

void errand_assign(struct simulation *s)
{
	struct thing *t = draw_machine(s);
	char id[UUID_TEXT_SIZE], domain[UUID_TEXT_SIZE];
	unsigned taker = (unsigned) random_below(ACCOUNTS);
	int status = 0;
	static const char *const names[ACCOUNTS] = {"ann", "ben", "cho"};
	if (!t)
		return;
	(void) uuid_write(DOMAIN_DEFAULT, domain);
	if (random_below(3))
		stop(s, t);
	bool is_barred_surely = is_barred(s, t, taker);
	struct str answer = ask(s, ADMIN, &status,
				"command=assignVirtualMachine&virtualmachineid=%s&account=%s&domainid=%s",
				id_of(s, t, id), names[taker], domain);
	struct str text = answer_at(answer, "errortext");
	if (status == 200 && is_barred_surely)
		blame(s, "%s went to account %u all the same", t->id, taker);
	if (status != 200 && !is_barred_surely && !may_be_barred(text))
		blame(s, "%s does not go to account %u: %" STR_FMT, t->id, taker, STR_ARG(text));
	if (status == 200)
		give(s, t, taker);
	settle_and_compare(s);
}

/* ---- rules that hold across all APIs ---- */

/* References must lead to existing resources. */
static void check_ways(struct simulation *s, const struct tables *t)
{
	for (const struct port_forwarding *f = port_forwarding_first(t); f; f = port_forwarding_next(t, f)) {
		const struct port *port = port_find(t, f->port);
		const struct address *address = address_find(t, f->address);
		if (!port || !row_is_live(&port->row) || !address || !row_is_live(&address->row))
			blame(s, "a forwarding has lost one of its ends");
	}
	for (const struct firewall_rule *r = firewall_rule_first(t); r; r = firewall_rule_next(t, r)) {
		const struct address *address = address_find(t, r->address);
		const struct network *network = network_find(t, r->network);
		if (!(address && row_is_live(&address->row)) && !(network && row_is_live(&network->row)))
			blame(s, "a firewall rule is of nothing");
	}
	for (const struct load_balancer_member *m = load_balancer_member_first(t); m;
	     m = load_balancer_member_next(t, m)) {
		const struct port *port = port_find(t, m->port);
		if (!port || !row_is_live(&port->row))
			blame(s, "a load balancer leads to an interface that is gone");
	}
}

/* The usage figures for limits must equal the sums over rows. */
static void check_figures(struct simulation *s, const struct tables *t, uuid account)
{
	struct account_usage has = {0};
	const struct account_usage *said = account_usage(account_find(t, account));
	for (const struct instance *i = instance_first_by_account(t, account); i;
	     i = instance_next_by_account(t, i)) {
		enum instance_state state = model_derive_instance_state(i);
		bool counts = state != INSTANCE_TERMINATED && state != INSTANCE_DESTROYED;
		has.instances += counts;
		has.vcpus += counts ? i->vcpus : 0;
		has.memory += counts ? i->memory : 0;
	}
	for (const struct port *p = port_first_by_account(t, account); p; p = port_next_by_account(t, p))
		has.ports += row_is_live(&p->row);
	for (const struct address *x = address_first_by_account(t, account); x;
	     x = address_next_by_account(t, x))
		has.addresses += row_is_live(&x->row) && x->is_elastic;
	if (has.instances != said->instances || has.vcpus != said->vcpus || has.memory != said->memory ||
	    has.ports != said->ports || has.addresses != said->addresses)
		blame(s, "an account's figures are not the sums of its rows");
}

/* Compares CloudStack's resource counts with the model. */
static void check_counts(struct simulation *s, unsigned account)
{
	int64_t machines = 0, volumes = 0, gibibytes = 0, addresses = 0;
	EACH (&s->model, t, KIND_INSTANCE)
		machines += t->account == account && t->life == LIVE;
	EACH (&s->model, t, KIND_VOLUME)
		if (t->account == account && t->life == LIVE) {
			volumes++;
			gibibytes += t->gibibytes;
		}
	EACH (&s->model, t, KIND_ADDRESS)
		addresses += t->account == account;
	struct str answer = request_get_answer(s, account, "GET /client/api?command=listAccounts");
	struct str item = answer_at(answer, "listaccountsresponse/account/item");
	const struct {
		const char *name;
		int64_t count;
	} figures[] = {{"vmtotal", machines},
		       {"volumetotal", volumes},
		       {"primarystoragetotal", gibibytes},
		       {"iptotal", addresses}};
	for (size_t k = 0; k < sizeof figures / sizeof *figures; k++) {
		int64_t shown = -1;
		IGNORE(str_parse_int(answer_at(item, figures[k].name), &shown));
		if (shown != figures[k].count)
			blame(s, "account %u: %s is %lld instead of %lld", account, figures[k].name,
			      (long long) shown, (long long) figures[k].count);
	}
}

/* No job may wait for a change that has happened: remaining jobs wait for a machine to start. */
static void check_jobs(struct simulation *s, unsigned account)
{
	struct str jobs = request_get_answer(s, account, "GET /client/api?command=listAsyncJobs"), job;
	jobs = answer_at(jobs, "listasyncjobsresponse/asyncjobs");
	while (answer_next_item(&jobs, &job)) {
		bool is_of_disk = str_contains(answer_at(job, "cmd"), STR("tachVolume"));
		if (str_is(answer_at(job, "jobstatus"), "0") && !is_of_disk)
			blame(s, "account %u: a job never ends: %" STR_FMT, account, STR_ARG(job));
	}
}

void errands_check(struct simulation *s)
{
	for (unsigned account = 0; account < ACCOUNTS; account++) {
		check_counts(s, account);
		check_jobs(s, account);
	}
	AUTO_VIEW view = {0};
	view_open(s->region.cloud->store, &view);
	check_ways(s, view.tables);
	for (unsigned account = 0; account < ACCOUNTS; account++)
		check_figures(s, view.tables, s->region.users[account].who.account);
}
