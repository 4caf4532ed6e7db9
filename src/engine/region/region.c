/* SPDX-License-Identifier: Apache-2.0
 * The region: created by `dari init` in an empty store, extended by later releases. */
#include "engine/region/region.h"

#include <inttypes.h>

#include "engine/internal.h"
#include "engine/network/address/address.h"
#include "engine/people/policy/role.h"
#include "engine/storage/volume_type/volume_type_internal.h"
#include "store/domain.h"
#include "store/instance_type.h"
#include "store/role.h"
#include "store/setting.h"
#include "store/zone.h"

#define REGION_ID STR("region.id")
#define REGION_NAME STR("region.name")

/* ---- queries ---- */

struct str engine_get_setting(const struct tables *t, struct str name)
{
	const struct setting *setting = setting_find_by_name(t, name);
	return setting ? setting->value : STR_NONE;
}

int64_t engine_get_number(const struct tables *t, struct str name, int64_t standard)
{
	int64_t number = standard;
	/* Absent or not a number: the default. */
	IGNORE(str_parse_int(engine_get_setting(t, name), &number));
	return number;
}

struct str engine_get_region_name(const struct tables *t)
{
	return engine_get_setting(t, REGION_NAME);
}

uuid engine_get_region_id(const struct tables *t)
{
	uuid id = UUID_NONE;
	/* Absent or unreadable: none. */
	IGNORE(uuid_parse(engine_get_setting(t, REGION_ID), &id));
	return id;
}

struct str engine_get_public_domain_name(const struct tables *t, struct arena *a)
{
	return str_print(a, "%" STR_FMT ".compute.internal", STR_ARG(engine_get_region_name(t)));
}

struct str engine_get_domain_name(const struct tables *t, struct arena *a)
{
	struct str region = engine_get_region_name(t);
	if (str_is(region, "us-east-1"))
		return STR("ec2.internal");
	return engine_get_public_domain_name(t, a);
}

/* ---- settings ---- */

RESULT engine_put_setting(struct op *op, struct setting_wish *wish)
{
	if (str_is_empty(wish->name))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_SETTING, "A setting needs a name.");
	TRY(engine_permit(op, "setting.put", KIND_SETTING, NULL));
	if (str_equal(wish->name, SETTING_BALANCERS_DOMAIN) && wish->value.n &&
	    !engine_is_domain_name(wish->value))
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("value"),
				      "'%" STR_FMT "' is not a domain name such as cloud.example.com.",
				      STR_ARG(wish->value));
	const struct setting *before = setting_find_by_name(op->head, wish->name);
	if (str_is_empty(wish->value))
		return before ? setting_forget(op, before->row.id) : OK;
	struct setting next = {.row.id = before ? before->row.id : engine_new_id(op, KIND_SETTING),
			       .row.gen = before ? before->row.gen + 1 : 1,
			       .name = wish->name,
			       .value = wish->value};
	return setting_put(op, &next);
}

/* ---- bootstrap ---- */

struct type_row {
	const char *name;
	int64_t vcpus, mebibytes;
	enum instance_type_arch arch;
	bool burstable, current;
	int64_t max_ports, addresses_per_port;
};

static const struct type_row standard_types[] = {
#define INSTANCE_TYPE(name, vcpus, mib, arch, burstable, current, ports, addresses)                          \
	{name, vcpus, mib, INSTANCE_TYPE_ARCH_##arch, burstable, current, ports, addresses},
#include "engine/instance/instance_types.def"
#undef INSTANCE_TYPE
};

static RESULT add_types(struct op *op)
{
	for (size_t n = 0; n < sizeof standard_types / sizeof *standard_types; n++) {
		const struct type_row *from = &standard_types[n];
		if (instance_type_find_by_name(op->head, str_from(from->name)))
			continue;
		struct instance_type type = {.row.id = engine_new_id(op, KIND_INSTANCE_TYPE),
					     .row.gen = 1,
					     .name = str_from(from->name),
					     .flavor_id = str_from(from->name),
					     .vcpus = from->vcpus,
					     .memory = from->mebibytes << 20,
					     .arch = from->arch,
					     .burstable = from->burstable,
					     .current_generation = from->current,
					     .max_ports = from->max_ports,
					     .addresses_per_port = from->addresses_per_port,
					     .rxtx_percent = 100,
					     .is_public = true,
					     .enabled = true};
		TRY(instance_type_put(op, &type));
	}
	return OK;
}

static RESULT add_default_domain(struct op *op)
{
	if (domain_find(op->head, DOMAIN_DEFAULT))
		return OK;
	struct domain domain = {.row.id = DOMAIN_DEFAULT,
				.row.gen = 1,
				.name = STR("Default"),
				.description = STR("The default domain"),
				.enabled = true};
	return domain_put(op, &domain);
}

/* The roles of `keystone-manage bootstrap`: each right implies the one before it; `service` gives none. The
 * ids derive from the region's id. */
static RESULT add_roles(struct op *op)
{
	static const struct {
		const char *name;
		enum role_right right;
	} standard[] = {{"reader", ROLE_RIGHT_READER},
			{"member", ROLE_RIGHT_MEMBER},
			{"manager", ROLE_RIGHT_MANAGER},
			{"admin", ROLE_RIGHT_ADMIN},
			{ROLE_SERVICE, ROLE_RIGHT_NONE}};
	uuid below = UUID_NONE;
	for (size_t n = 0; n < sizeof standard / sizeof *standard; n++) {
		struct str name = str_from(standard[n].name);
		struct role role = {.row.id = uuid_v5(engine_get_region_id(op->head), name),
				    .row.gen = 1,
				    .name = name,
				    .right = standard[n].right,
				    .implies = {&below, n > 0 && standard[n].right != ROLE_RIGHT_NONE}};
		if (!role_find(op->head, role.row.id) && !role_find_by_domain(op->head, UUID_NONE, name))
			TRY(role_put(op, &role));
		below = role.row.id;
	}
	return OK;
}

/* "southeast" is "se" in zone ids, "central" is "c". */
static struct str shorten_direction(struct str word)
{
	static const char *const halves[] = {"north", "south"};
	for (size_t n = 0; n < 2; n++) {
		struct str half = str_from(halves[n]);
		if (!str_starts_with(word, half) || word.n == half.n)
			continue;
		return word.p[half.n] == 'e' ? (n ? STR("se") : STR("ne")) : (n ? STR("sw") : STR("nw"));
	}
	return str_slice(word, 0, 1);
}

/* "us-west-2" → "usw2", as in EC2's zone ids. */
static struct str shorten_region(struct arena *a, struct str region)
{
	struct str rest = region, piece, made = STR_NONE;
	for (int n = 0; str_split_next(&rest, '-', &piece); n++) {
		bool is_last = str_is_empty(rest);
		struct str part = n == 0 || is_last ? piece : shorten_direction(piece);
		made = str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(made), STR_ARG(part));
	}
	return made;
}

static RESULT add_zone(struct op *op, struct str region, struct str name)
{
	if (zone_find_by_name(op->head, name))
		return OK;
	size_t number = tables_count(op->head, KIND_ZONE) + 1;
	struct zone zone = {.row.id = engine_new_id(op, KIND_ZONE),
			    .row.gen = 1,
			    .name = name,
			    .short_id = str_print(op->ctx->arena, "%" STR_FMT "-az%zu",
						  STR_ARG(shorten_region(op->ctx->arena, region)), number),
			    .enabled = true};
	return zone_put(op, &zone);
}

static RESULT add_zones(struct op *op, struct str region, struct strs zones)
{
	if (zones.count == 0)
		return tables_count(op->head, KIND_ZONE)
			       ? OK
			       : add_zone(op, region,
					  str_print(op->ctx->arena, "%" STR_FMT "a", STR_ARG(region)));
	for (size_t n = 0; n < zones.count; n++)
		TRY(add_zone(op, region, zones.at[n]));
	return OK;
}

bool engine_is_region_name(struct str name)
{
	if (name.n < 1 || name.n > 32)
		return false;
	for (size_t n = 0; n < name.n; n++) {
		char c = name.p[n];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !(c == '-' && n > 0))
			return false;
	}
	return true;
}

RESULT engine_bootstrap_region(struct op *op, struct region_wish *wish)
{
	struct str present = engine_get_region_name(op->head);
	if (!engine_is_region_name(wish->name))
		return ctx_fail(op->ctx, ERR_INVALID,
				"'%" STR_FMT "' cannot name a region: use up to 32 of a-z, 0-9 and '-'.",
				STR_ARG(wish->name));
	TRY(engine_permit(op, "region.bootstrap", KIND_NONE, NULL));
	if (!str_is_empty(present) && !str_equal(present, wish->name))
		return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_SETTING,
				     "This is the region '%" STR_FMT "' already; it cannot become '%" STR_FMT
				     "'.",
				     STR_ARG(present), STR_ARG(wish->name));
	if (str_is_empty(present)) {
		struct setting_wish name = {.name = REGION_NAME, .value = wish->name};
		struct setting_wish id = {.name = REGION_ID,
					  .value = uuid_to_str(op->ctx->arena, uuid_is_none(wish->id)
										       ? uuid_random()
										       : wish->id)};
		TRY(engine_put_setting(op, &name));
		TRY(engine_put_setting(op, &id));
	}
	TRY(add_zones(op, wish->name, wish->zones));
	TRY(add_types(op));
	TRY(add_default_domain(op));
	TRY(add_roles(op));
	TRY(volume_type_add_standard(op, engine_get_region_id(op->head)));
	wish->region = engine_get_region_id(op->head);
	return OK;
}
