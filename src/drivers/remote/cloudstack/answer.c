/* SPDX-License-Identifier: Apache-2.0
 * Answers of CloudStack. Source: API reference 4.18, listVirtualMachines and listAccounts. */
#include "drivers/remote/cloudstack/answer.h"

#define TOKEN_PREFIX "dari-"
enum { ACCOUNTS_MAX = 500, USERS_MAX = 500, NICS_MAX = 64, TAGS_READ_MAX = 500 };

const json_t *cloudstack_inner(const json_t *root)
{
	void *first = json_object_iter((json_t *) root);
	return first ? json_object_iter_value(first) : NULL;
}

static bool has_key(struct ctx *c, const json_t *account, struct str key)
{
	const json_t *users = remote_json_at(account, "user");
	for (size_t k = 0; k < json_array_size(users) && k < USERS_MAX; k++)
		if (str_equal(remote_json_text(c, json_array_get(users, k), "apikey"), key))
			return true;
	return false;
}

/* Some versions hide API keys. Then a single account is that of the caller. */
struct str cloudstack_read_account(struct ctx *c, const json_t *root, struct str key)
{
	const json_t *accounts = remote_json_at(cloudstack_inner(root), "account");
	for (size_t k = 0; k < json_array_size(accounts) && k < ACCOUNTS_MAX; k++)
		if (has_key(c, json_array_get(accounts, k), key))
			return remote_json_text(c, json_array_get(accounts, k), "id");
	return json_array_size(accounts) == 1 ? remote_json_text(c, accounts, "0/id") : STR_NONE;
}

struct str cloudstack_write_token(struct ctx *c, uuid token)
{
	return str_print(c->arena, TOKEN_PREFIX "%" STR_FMT, STR_ARG(uuid_to_str(c->arena, token)));
}

void cloudstack_read_token(struct str name, uuid *ret_token)
{
	struct str prefix = STR(TOKEN_PREFIX);
	if (str_starts_with(name, prefix))
		IGNORE(uuid_parse(str_slice(name, prefix.n, name.n),
				  ret_token)); /* otherwise somebody else's name */
}

struct str cloudstack_find_id(struct ctx *c, const json_t *root, const char *list, struct str said)
{
	const json_t *rows = remote_json_at(cloudstack_inner(root), list);
	for (size_t k = 0; k < json_array_size(rows); k++) {
		struct str id = remote_json_text(c, json_array_get(rows, k), "id");
		if (str_equal(id, said) ||
		    str_equal(remote_json_text(c, json_array_get(rows, k), "name"), said))
			return id;
	}
	return STR_NONE;
}

static enum remote_machine_power power_of(struct str state)
{
	static const struct {
		const char *state;
		enum remote_machine_power power;
	} powers[] = {{"Starting", REMOTE_MACHINE_POWER_PENDING},
		      {"Running", REMOTE_MACHINE_POWER_RUNNING},
		      {"Migrating", REMOTE_MACHINE_POWER_RUNNING},
		      {"Stopping", REMOTE_MACHINE_POWER_STOPPING},
		      {"Stopped", REMOTE_MACHINE_POWER_STOPPED},
		      {"Shutdown", REMOTE_MACHINE_POWER_STOPPED},
		      {"Expunging", REMOTE_MACHINE_POWER_TERMINATING},
		      {"Destroyed", REMOTE_MACHINE_POWER_TERMINATED}};
	for (size_t k = 0; k < sizeof powers / sizeof powers[0]; k++)
		if (str_is(state, powers[k].state))
			return powers[k].power;
	return REMOTE_MACHINE_POWER_UNKNOWN;
}

static const struct remote_place places[] = {
	PLACE("id", PLACE_TEXT, machine.ref, DRAFT_ID_MAX),
	PLACE("name", PLACE_TEXT, machine.name, DRAFT_ID_MAX),
	PLACE("displayname", PLACE_TEXT, machine.name, DRAFT_ID_MAX),
	PLACE("state", PLACE_TEXT, machine.raw_state, DRAFT_WORD_MAX),
	PLACE("serviceofferingname", PLACE_TEXT, machine.type, DRAFT_WORD_MAX),
	PLACE("cpunumber", PLACE_INT, machine.vcpus, 65536),
	PLACE("templateid", PLACE_TEXT, machine.image, DRAFT_ID_MAX),
	PLACE("keypair", PLACE_TEXT, machine.key_name, DRAFT_ID_MAX),
	PLACE("zonename", PLACE_TEXT, machine.zone, DRAFT_WORD_MAX),
	PLACE("osdisplayname", PLACE_TEXT, machine.platform, DRAFT_WORD_MAX),
	PLACE("created", PLACE_TIME, machine.launched_us, 0),
	PLACE("nic/0/networkid", PLACE_TEXT, machine.network, DRAFT_ID_MAX),
	PLACE("publicip", PLACE_IP, public_ips, 0),
};
static const struct remote_place nic_places[] = {
	PLACE("ipaddress", PLACE_IP, private_ips, 0),
	PLACE("ip6address", PLACE_IP, private_ips, 0),
	PLACE("publicip", PLACE_IP, public_ips, 0),
	PLACE("networkid", PLACE_ID, subnets, 16),
};
static const struct remote_place group_places[] = {PLACE("id", PLACE_ID, groups, 32)};

static void read_each(struct ctx *c, const json_t *list, const struct remote_place *at, size_t count,
		      struct machine_draft *d)
{
	for (size_t k = 0; k < json_array_size(list) && k < NICS_MAX; k++)
		remote_read_places(c, json_array_get(list, k), at, count, d);
}

static RESULT read_machine(struct ctx *c, const json_t *vm, struct remote_machines *list)
{
	struct machine_draft d = {0};
	const json_t *tags = remote_json_at(vm, "tags");
	remote_read_places(c, vm, places, sizeof places / sizeof places[0], &d);
	d.machine.power = power_of(d.machine.raw_state);
	cloudstack_read_token(remote_json_text(c, vm, "name"), &d.machine.row.id);
	read_each(c, remote_json_at(vm, "nic"), nic_places, sizeof nic_places / sizeof nic_places[0], &d);
	read_each(c, remote_json_at(vm, "securitygroup"), group_places, 1, &d);
	for (size_t k = 0; k < json_array_size(tags) && k < TAGS_READ_MAX; k++)
		draft_add_tag(&d, remote_json_text(c, json_array_get(tags, k), "key"),
			      remote_json_text(c, json_array_get(tags, k), "value"));
	return draft_end(c, &d, list);
}

RESULT cloudstack_read_machines(struct ctx *c, const json_t *root, struct str zone,
				struct remote_page *ret_page, size_t *ret_count)
{
	const json_t *vms = remote_json_at(cloudstack_inner(root), "virtualmachine");
	struct remote_machines list = {0};
	if (!json_is_object(cloudstack_inner(root)) || (vms && !json_is_array(vms)))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of machines.");
	*ret_count = json_array_size(vms); /* an empty list has no member */
	for (size_t k = 0; k < *ret_count; k++) {
		const json_t *vm = json_array_get(vms, k);
		if (str_is(zone, "all") || str_equal(remote_json_text(c, vm, "zonename"), zone))
			TRY(read_machine(c, vm, &list));
	}
	*ret_page = (struct remote_page){.machines = list.at, .count = list.count, .entries = *ret_count};
	return OK;
}
