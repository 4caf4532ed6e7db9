/* SPDX-License-Identifier: Apache-2.0
 * dari account list, image list, network list, role list, limit list: rows as /api/v1 shows them to the
 * caller. */
#include <inttypes.h>

#include "daemon/client/ask.h"
#include "daemon/command.h"

static RESULT account_list(struct asking *a)
{
	const json_t *accounts = NULL;
	size_t k = 0;
	json_t *row = NULL;
	TRY(asking_list(a, "/accounts", "name,number,enabled", &accounts));
	buf_print(&a->text, "%-14s %-24s %s\n", "number", "name", "state");
	json_array_foreach (accounts, k, row) {
		struct str number = asking_text(row, "number"), name = asking_text(row, "name");
		bool enabled = asking_bool(row, "enabled");
		buf_print(&a->text, "%" STR_FMT "   %-24.*s %s\n", STR_ARG(number), STR_ARG(name),
			  enabled ? "enabled" : "disabled");
		(void) json_array_append_new(a->value,
					     json_pack("{s:o, s:o, s:b}", "account_id", asking_json(number),
						       "name", asking_json(name), "enabled", (int) enabled));
	}
	return OK;
}

static RESULT limit_list(struct asking *a)
{
	const json_t *answer = NULL;
	json_t *limit = NULL;
	size_t k = 0;
	TRY(asking_read(a, "/limits", NULL, &answer));
	buf_print(&a->text, "%-26s %10s %10s\n", "name", "at most", "usually");
	json_array_foreach (json_object_get(answer, "items"), k, limit) {
		struct str name = asking_text(limit, "name");
		int64_t most = asking_int(limit, "limit"), usual = asking_int(limit, "usual");
		buf_print(&a->text, "%-26.*s %10" PRId64 " %10" PRId64 "\n", STR_ARG(name), most, usual);
		(void) json_array_append_new(a->value,
					     json_pack("{s:o, s:I, s:I}", "name", asking_json(name), "most",
						       (json_int_t) most, "usually", (json_int_t) usual));
	}
	return OK;
}

/* The total of the image's disks. */
static int64_t disk_size(const json_t *devices, struct str image)
{
	int64_t size = 0;
	for (size_t k = 0; k < json_array_size(devices); k++) {
		const json_t *device = json_array_get(devices, k);
		if (str_equal(asking_text(device, "image"), image))
			size += asking_int(device, "size");
	}
	return size;
}

static RESULT image_list(struct asking *a)
{
	const json_t *images = NULL, *devices = NULL;
	size_t k = 0;
	json_t *row = NULL;
	TRY(asking_list(a, "/images", "name,state", &images));
	TRY(asking_list(a, "/image-devices", "image,size", &devices));
	buf_print(&a->text, "%-22s %-28s %-10s %8s\n", "id", "name", "state", "disk MiB");
	json_array_foreach (images, k, row) {
		struct str id = asking_text(row, "ec2"), name = asking_text(row, "name"),
			   state = asking_text(row, "state");
		int64_t size = disk_size(devices, asking_text(row, "id"));
		buf_print(&a->text, "%-22.*s %-28.*s %-10.*s %8" PRId64 "\n", STR_ARG(id), STR_ARG(name),
			  STR_ARG(state), size >> 20);
		(void) json_array_append_new(a->value,
					     json_pack("{s:o, s:o, s:o, s:I}", "image_id", asking_json(id),
						       "name", asking_json(name), "state", asking_json(state),
						       "disk_size", (json_int_t) size));
	}
	return OK;
}

/* ---- outside networks ---- */

/* The network's address ranges, visible to administrators. */
static json_t *write_ranges(struct asking *a, const json_t *ranges, struct str network)
{
	json_t *list = json_array(), *row = NULL;
	size_t k = 0;
	json_array_foreach (ranges, k, row) {
		struct str first = asking_text(row, "first"), last = asking_text(row, "last");
		if (!str_equal(asking_text(row, "external_network"), network))
			continue;
		buf_print(&a->text, " %" STR_FMT "-%" STR_FMT, STR_ARG(first), STR_ARG(last));
		(void) json_array_append_new(list,
					     json_pack("[o, o]", asking_json(first), asking_json(last)));
	}
	return list;
}

static RESULT network_list(struct asking *a)
{
	const json_t *networks = NULL, *ranges = NULL;
	size_t k = 0;
	json_t *row = NULL;
	TRY(asking_list(a, "/external-networks", "*", &networks));
	if (a->sees_all)
		TRY(asking_list(a, "/address-ranges", NULL, &ranges));
	buf_print(&a->text, "%-16s %-12s %-16s %s\n", "name", "physical", "next hop", "addresses");
	json_array_foreach (networks, k, row) {
		struct str name = asking_text(row, "name"), physical = asking_text(row, "physical_network"),
			   hop = asking_text(row, "next_hop"), pool = asking_text(row, "ipv6_pool");
		buf_print(&a->text, "%-16.*s %-12.*s %-16.*s", STR_ARG(name), STR_ARG(physical),
			  STR_ARG(hop));
		json_t *list = write_ranges(a, ranges, asking_text(row, "id"));
		buf_print(&a->text, "%s%" STR_FMT "\n", pool.n ? " " : "", STR_ARG(pool));
		(void) json_array_append_new(a->value,
					     json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", asking_json(name),
						       "physical_network", asking_json(physical), "next_hop",
						       asking_json(hop), "ranges", list, "ipv6_pool",
						       asking_json(pool)));
	}
	return OK;
}

/* ---- role assignments ---- */

struct people {
	const json_t *grants, *roles, *users, *groups, *accounts, *domains;
};

static struct str name_of(const json_t *rows, struct str id)
{
	return asking_text(asking_find(rows, id), "name");
}

/* Writes "DOMAIN/NAME", or for an account's own user "ACCOUNT's NAME". */
static struct str name_who(struct asking *a, const struct people *p, const json_t *grant)
{
	struct arena *arena = a->c->arena;
	const json_t *user = asking_find(p->users, asking_text(grant, "user"));
	struct str account = name_of(p->accounts, asking_text(user, "account")),
		   domain = name_of(p->domains, asking_text(user, "domain")),
		   name = asking_text(user, "name");
	if (!user)
		return str_print(arena, "group %" STR_FMT,
				 STR_ARG(name_of(p->groups, asking_text(grant, "user_group"))));
	if (account.n)
		return str_print(arena, "%" STR_FMT "'s %" STR_FMT, STR_ARG(account), STR_ARG(name));
	return str_print(arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(domain), STR_ARG(name));
}

static struct str name_where(struct asking *a, const struct people *p, const json_t *grant)
{
	struct str account = name_of(p->accounts, asking_text(grant, "account")),
		   domain = name_of(p->domains, asking_text(grant, "domain"));
	if (account.n)
		return str_print(a->c->arena, "account %" STR_FMT, STR_ARG(account));
	if (!domain.n)
		return STR("the system");
	return str_print(a->c->arena, "%s %" STR_FMT,
			 asking_bool(grant, "inherited") ? "all accounts of" : "domain", STR_ARG(domain));
}

static RESULT role_list(struct asking *a)
{
	struct people p = {0};
	size_t k = 0;
	json_t *grant = NULL;
	TRY(asking_list(a, "/role-assignments", "*", &p.grants));
	TRY(asking_list(a, "/roles", "name", &p.roles));
	TRY(asking_list(a, "/users", "name,account,domain", &p.users));
	TRY(asking_list(a, "/user-groups", "name", &p.groups));
	TRY(asking_list(a, "/accounts", "name", &p.accounts));
	TRY(asking_list(a, "/domains", "name", &p.domains));
	buf_print(&a->text, "%-12s %-32s %s\n", "role", "who", "where");
	json_array_foreach (p.grants, k, grant) {
		struct str role = name_of(p.roles, asking_text(grant, "role")), who = name_who(a, &p, grant),
			   where = name_where(a, &p, grant);
		if (!role.n)
			continue;
		buf_print(&a->text, "%-12.*s %-32.*s %" STR_FMT "\n", STR_ARG(role), STR_ARG(who),
			  STR_ARG(where));
		(void) json_array_append_new(a->value,
					     json_pack("{s:o, s:o, s:o}", "role", asking_json(role), "who",
						       asking_json(who), "where", asking_json(where)));
	}
	return OK;
}

const struct command row_commands[] = {
	{"account list", "Lists accounts.", {{0}}, .ask = account_list},
	{"image list", "Lists images.", {{0}}, .ask = image_list},
	{"limit list", "Lists quotas.", {{0}}, .ask = limit_list},
	{"network list", "Lists external networks.", {{0}}, .ask = network_list},
	{"role list", "Lists role assignments.", {{0}}, .ask = role_list},
	{0},
};
