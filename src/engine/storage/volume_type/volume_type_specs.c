/* SPDX-License-Identifier: Apache-2.0
 * A volume type's requirements on its pool, by extra specs, as in Cinder's capabilities filter: each spec is
 * compared with the pool's capability, and a capability that the pool does not report counts as missing.
 * Specs with a scope other than `capabilities` are ignored. */
#include "engine/internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "store/storage_pool.h"
#include "store/volume_type.h"

#define SCOPE STR("capabilities:")

struct str engine_get_pool_capability(const struct storage_pool *pool, struct str name)
{
	static const struct {
		const char *name, *value;
	} fixed[] = {{"vendor_name", "Open Source"},
		     {"driver_version", "1.0"},
		     {"multiattach", "True"},
		     {"thin_provisioning_support", "False"},
		     {"thick_provisioning_support", "True"},
		     {"QoS_support", "False"}};
	if (str_equal(name, STORAGE_POOL_SPEC) || str_is(name, "pool_name"))
		return pool ? pool->name : STORAGE_POOL_LOCAL;
	if (str_is(name, "storage_protocol"))
		return !pool ? STR("file") : pool->kind == STORAGE_POOL_KIND_RBD ? STR("ceph") : STR("nfs");
	for (size_t k = 0; k < sizeof fixed / sizeof fixed[0]; k++)
		if (str_is(name, fixed[k].name))
			return str_from(fixed[k].value);
	return STR_NONE;
}

static bool is_true(struct str text)
{
	bool is = false;
	return result_is_ok(str_parse_bool(text, &is)) ? is : str_is(text, "1") || str_is(text, "yes");
}

/* "<or> a <or> b" */
static bool is_one_of(struct str value, struct str words)
{
	struct str word;
	while (str_split_next(&words, ' ', &word))
		if (str_equal(word, value))
			return true;
	return false;
}

/* Cinder's operators on strings. Numeric operators match nothing, because all capabilities are strings. */
static bool fits(struct str value, struct str asked)
{
	struct str rest = asked, operator;
	if (!str_split_next(&rest, ' ', &operator) || str_is_empty(rest))
		return str_equal(asked, value) || (str_is(value, "True") && is_true(asked)) ||
		       (str_is(value, "False") && str_equal_nocase(asked, STR("false")));
	if (str_is(operator, "<is>"))
		return is_true(rest) == is_true(value);
	if (str_is(operator, "<in>"))
		return str_contains(value, rest);
	if (str_is(operator, "<or>"))
		return is_one_of(value, rest);
	if (str_is(operator, "s=="))
		return str_equal(value, rest);
	return str_is(operator, "s!=") ? !str_equal(value, rest) : str_equal(asked, value);
}

/* Placement checks the room itself, so specs about capacity are ignored. */
static bool is_of_capacity(struct str name)
{
	return str_ends_with(name, STR("_capacity_gb")) || str_is(name, "reserved_percentage") ||
	       str_is(name, "max_over_subscription_ratio");
}

static bool has_capability(const struct storage_pool *pool, const struct tag *spec)
{
	bool is_scoped = str_starts_with(spec->key, SCOPE);
	struct str name = is_scoped ? str_slice(spec->key, SCOPE.n, spec->key.n) : spec->key;
	if (str_find_char(name, ':', 0) < name.n || is_of_capacity(name))
		return true;
	struct str value = engine_get_pool_capability(pool, name);
	return value.n && fits(value, spec->value);
}

RESULT storage_pool_check_type(struct op *op, struct str name, struct str field)
{
	const struct volume_type *type = volume_type_find_by_name(op->head, name);
	const struct storage_pool *pool =
		type && !uuid_is_none(type->pool) ? storage_pool_find(op->head, type->pool) : NULL;
	for (size_t k = 0; type && k < type->specs.count; k++) {
		const struct tag *spec = &type->specs.at[k];
		if (!has_capability(pool, spec))
			return ENGINE_FAIL(op, ERR_CAPACITY, KIND_VOLUME, field,
					   "There is no storage pool with %" STR_FMT " %" STR_FMT
					   ", which the volume type '%" STR_FMT "' asks for.",
					   STR_ARG(str_slice(spec->key, 0, 255)),
					   STR_ARG(str_slice(spec->value, 0, 255)), STR_ARG(name));
	}
	return OK;
}
