/* SPDX-License-Identifier: Apache-2.0
 * Consistency of the EC2 API's tables: actions, parameters, filters, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/cloudstack/core/cloudstack.h"
#include "api/ec2/account/sts.h"
#include "api/ec2/core/codes.h"
#include "api/ec2/core/errors.h"
#include "api/ec2/core/list.h"
#include "api/iam/internal.h"
#include "api/query/query_call.h"
#include "engine/limits.h"

enum { ACTIONS_MAX = 512 };

static const struct ec2_action *actions[ACTIONS_MAX];
static size_t action_count;

static int sum_up(void **state)
{
	(void) state;
	action_count = ec2_sum_actions(actions, ACTIONS_MAX);
	return 0;
}

static void test_actions(void **state)
{
	(void) state;
	assert_true(action_count > 50);
	for (size_t k = 0; k < action_count; k++) {
		const struct ec2_action *a = actions[k];
		struct str permit = str_from(a->permit);
		assert_true(k == 0 || strcmp(actions[k - 1]->name, a->name) < 0);
		assert_true(str_ends_with(permit, str_from(a->name)));
		assert_true(str_starts_with(permit, a->flags & EC2_OF_STS ? STR("sts:") : STR("ec2:")));
		assert_true(a->doc && *a->doc);
		/* STS has an operation without a change of the cloud: a code of an MFA device is spent. */
		if (!(a->flags & EC2_OF_STS))
			assert_int_equal(!!a->operation, !!(a->flags & API_WRITES));
		assert_int_equal(!!a->look, !!(a->flags & API_OBSERVES));
		assert_true(!!a->list + !!a->answer + !!a->shows <= 1);
		assert_true(!a->shows || a->returns == a->shows->kind);
		assert_true(a->args.size > 0);
		assert_true(a->flags & EC2_OF_STS || ec2_is_known_action(str_from(a->name)));
	}
	assert_true(ec2_is_known_action(STR("CreateNatGateway")));
	assert_false(ec2_is_known_action(STR("MakeCoffee")));
	assert_false(ec2_is_known_action(STR_NONE));
}

/* Size of a parameter's value in bytes; fails the test if it is not within the struct. */
static size_t size_of_param(const struct param *p)
{
	static const size_t sizes[] = {
		[PARAM_TEXT] = sizeof(struct str),
		[PARAM_INT] = sizeof(int64_t),
		[PARAM_BOOL] = sizeof(bool),
		[PARAM_CHOICE] = sizeof(enum choice),
		[PARAM_ID] = sizeof(struct ref),
		[PARAM_IP] = sizeof(struct ip),
		[PARAM_CIDR] = sizeof(struct cidr),
		[PARAM_TEXTS] = sizeof(struct strs),
		[PARAM_IPS] = sizeof(struct ips),
		[PARAM_IDS] = sizeof(struct refs),
		[PARAM_STRUCTS] = sizeof(void *) + sizeof(size_t),
	};
	return p->type == PARAM_NOT_BUILT ? 0 : p->is_at ? sizeof(void *) : sizes[p->type];
}

static bool is_plain(enum param_type type)
{
	return type == PARAM_INT || type == PARAM_BOOL || type == PARAM_IP || type == PARAM_CIDR ||
	       type == PARAM_MAC || type == PARAM_IPS || type == PARAM_TAGS || type == PARAM_JSON;
}

static void check_table(const struct params *table)
{
	assert_true(table->count <= PARAM_TABLE_MAX);
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		assert_true(p->wire && *p->wire);
		assert_true(p->offset + size_of_param(p) <= table->size);
		assert_true(p->type == PARAM_NOT_BUILT || (p->doc && *p->doc));
		assert_true(!p->max || p->min <= p->max);
		assert_int_equal(param_yes(p) != 0, param_no(p) != 0);
		assert_true(!is_plain(p->type) ||
			    (!p->words && !p->remark)); /* they share a place with other types' */
		assert_int_equal(param_sub(p) != 0, p->type == PARAM_STRUCT || p->type == PARAM_STRUCTS);
		bool is_id = p->type == PARAM_ID || p->type == PARAM_IDS;
		assert_int_equal(is_id, p->kind != KIND_NONE || param_prefix(p) || p->flags & ANY_KIND);
		assert_true(!is_id || p->flags & BY_NAME || param_prefix(p) || p->flags & ANY_KIND ||
			    *model_kinds[p->kind].ec2_prefix);
		for (size_t n = 0; n < k; n++) {
			assert_string_not_equal(table->at[n].wire, p->wire);
			size_t size = size_of_param(&table->at[n]);
			bool apart = table->at[n].offset + size <= p->offset ||
				     p->offset + size_of_param(p) <= table->at[n].offset || !size ||
				     !size_of_param(p);
			assert_true(apart);
		}
		if (param_sub(p))
			check_table(param_sub(p));
	}
}

static void test_parameters(void **state)
{
	(void) state;
	for (size_t k = 0; k < action_count; k++)
		check_table(&actions[k]->args);
}

/* Joins follow each other, and end at the rows that are filtered. */
static void check_path(enum kind to, const struct access_path *path)
{
	enum kind at = path->kind;
	for (size_t k = 0; k < ACCESS_JOINS_MAX && path->joins[k].kind != KIND_NONE; k++) {
		const struct query_join *join = &path->joins[k];
		bool is_found = false;
		if (join->index) {
			const struct kind_info *info = &model_kinds[join->kind];
			is_found = info->fields[info->indexes[join->index].fields[0]].ref == at;
		}
		for (unsigned n = 0; !join->index && n < model_kinds[at].field_count; n++) {
			const struct field *f = &model_kinds[at].fields[n];
			is_found = is_found || (f->offset == join->offset && f->ref == join->kind &&
						f->type == FIELD_UUID);
		}
		assert_true(is_found);
		at = join->kind;
	}
	assert_int_equal(at, to);
}

static void check_paths(enum kind kind, const struct filter *f)
{
	for (size_t k = 0; k < ACCESS_PATHS_MAX && f->access_paths[k].kind != KIND_NONE; k++)
		check_path(kind, &f->access_paths[k]);
	if (!f->joined)
		return;
	bool is_there = false;
	struct filter other;
	for (size_t k = 0; filters_get(f->joined->filters, k, &other); k++)
		is_there = is_there || strcmp(other.name, f->joined_filter) == 0;
	assert_true(is_there);
	const struct access_path path = {.kind = f->joined->kind, .joins = {f->joined->join}};
	check_path(kind, &path);
}

/* The field that the filter compares, by its own row or by the attribute's. */
static const struct field *field_of(enum kind kind, const struct filter *f)
{
	if (f->found.attribute)
		return f->found.around[0] ? NULL : attribute_field(kind, f->found.attribute);
	return f->field ? query_find_field(kind, f->field) : NULL;
}

static void check_filter(enum kind kind, const struct filter *f)
{
	assert_int_equal((f->field != 0) + (f->fixed != 0) + (f->get != 0) + (f->in_state != 0) + f->is_id,
			 1);
	assert_true(!f->in_state || model_tells_state(kind));
	const struct field *field = field_of(kind, f);
	if (f->field) {
		assert_non_null(field);
		assert_true(field->type != FIELD_TAGS && field->type != FIELD_BLOB &&
			    field->type != FIELD_TEXTS);
		bool is_reference = field->type == FIELD_UUID || field->type == FIELD_UUIDS;
		assert_true(!is_reference || *model_kinds[field->ref].ec2_prefix ||
			    field->ref == KIND_INSTANCE_TYPE || field->ref == KIND_ZONE);
	}
	if (f->index) {
		assert_non_null(field);
		const struct kind_info *k = &model_kinds[kind];
		const struct index *x = &k->indexes[f->index];
		bool behind_account = k->fields[x->fields[0]].ref == KIND_ACCOUNT;
		assert_ptr_equal(&k->fields[x->fields[behind_account]], field);
	}
	check_paths(kind, f);
}

static bool ends_with_any(const char *name, const char *const *ends)
{
	for (; *ends; ends++)
		if (str_ends_with(str_from(name), str_from(*ends)))
			return true;
	return false;
}

static bool is_nothing(const struct attribute *a)
{
	return a && a->form == ATTRIBUTE_WORD && a->get.word == attribute_get_nothing;
}

static bool is_path(enum kind kind, const struct filter *f)
{
	const struct field *field = field_of(kind, f);
	return f->is_id || f->is_owner || f->index || f->in_state || f->access_paths[0].kind != KIND_NONE ||
	       f->joined || (field && field->offset == model_kinds[kind].groups_offset);
}

/* Filters that name one resource must use an index, independent of the account's other rows. */
static void check_has_path(enum kind kind, const char *action, const struct filter *f)
{
	static const char *const names_one[] = {"-id",         "ip-address", "public-ip",
						"mac-address", "dns-name",   0};
	static const char *const few_rows[] = {
		"association.association-id",               /* network ACLs, and */
		"association.route-table-association-id",   /* route tables: a few in a VPC */
		"cidr-block-association.association-id",    /* VPCs, and */
		"default-route-table-id",                   /* transit gateways: a few in an account */
		"prefix-list-id",                           /* the region has one list of its own */
		"availability-zone-id",                     /* a third of the rows or more */
		"attachment.transit-gateway-attachment-id", /* routes of one table */
		"resource-id",                              /* tags: tags.c has paths of its own */
		"user-id",
		"owner-id",     /* all rows, or none */
		"requester-id", /* the creator's account, which may match many rows */
		0};
	bool is_odd =
		f->fixed || f->get == filter_nothing || is_nothing(f->found.attribute) || kind == KIND_ZONE ||
		kind == KIND_CUSTOMER_GATEWAY /* a few in an account */ ||
		kind == KIND_LAUNCH_TEMPLATE_VERSION ||
		(kind == KIND_SPOT_REQUEST && f->get) /* what its kept form says */ ||
		strcmp(action, "DescribeVpcEndpointConnections") == 0 || /* rows of an index of its own */
		ends_with_any(f->name, few_rows);
	if (!ends_with_any(f->name, names_one) || is_odd || is_path(kind, f))
		return;
	print_message("%s: the filter %s leads to no rows: all are looked at\n", action, f->name);
	fail();
}

static void test_filters(void **state)
{
	(void) state;
	for (size_t k = 0; k < action_count; k++) {
		const struct ec2_listing *list = ec2_shown_list(actions[k]);
		const struct filters *filters = list ? &list->filters : &actions[k]->filters;
		enum kind kind = list ? list->kind
				      : KIND_INSTANCE; /* lists apart have get functions, or are instances */
		struct filter filter, before;
		for (size_t n = 0; filters_get(filters, n, &filter); n++) {
			check_filter(kind, &filter);
			check_has_path(kind, actions[k]->name, &filter);
			for (size_t m = 0; m < n && filters_get(filters, m, &before); m++)
				assert_string_not_equal(before.name, filter.name);
		}
	}
}

/* True if the value has a source: a function, a field, or a form that needs none. Only an id may stand at offset 0, where a row's own
 * id is: anything else would read the id's bytes as its value. */
static bool has_source(const struct attribute *a)
{
	return attribute_is_made(a) || a->offset || a->form == ATTRIBUTE_ID || a->form == ATTRIBUTE_HEX ||
	       a->form == ATTRIBUTE_STATE || a->form == ATTRIBUTE_FIXED || a->form == ATTRIBUTE_LIST ||
	       a->form == ATTRIBUTE_OBJECT;
}

static void count_made(const struct attributes *table, size_t *made, size_t *all)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct attribute *a = &table->at[k];
		assert_true(has_source(a));
		*all += 1;
		*made += attribute_is_made(a) && a->form != ATTRIBUTE_LIST && !is_nothing(a);
		if (a->form == ATTRIBUTE_LIST || a->form == ATTRIBUTE_OBJECT)
			count_made(a->within, made, all);
	}
}

/* Functions make at most a quarter of the values: the others are fields that the tables name. */
static void test_attributes_are_fields(void **state)
{
	size_t made = 0, all = 0;
	(void) state;
	for (size_t k = 0; k < action_count; k++) {
		const struct ec2_listing *list = ec2_shown_list(actions[k]);
		if (list && list->attributes)
			count_made(list->attributes, &made, &all);
	}
	assert_true(all > 0);
	assert_in_range(made * 4, 0, all);
}

/* Listing owned rows must use an index on the account, so that other accounts' rows are not read. */
static void test_account_indexes(void **state)
{
	(void) state;
	for (size_t k = 0; k < action_count; k++) {
		const struct ec2_listing *list = actions[k]->list;
		if (!list || !model_kinds[list->kind].account_offset)
			continue;
		const struct kind_info *info = &model_kinds[list->kind];
		unsigned index = list_account_index(list->kind);
		assert_int_not_equal(index, 0);
		assert_int_equal(info->fields[info->indexes[index].fields[0]].ref, KIND_ACCOUNT);
	}
}

/* Every failure there is has a code of its own row, whatever its kind. */
static void test_errors(void **state)
{
	(void) state;
	for (enum err err = ERR_NONE + 1; err < ERR_COUNT; err++) {
		for (int kind = KIND_NONE; kind < KIND_COUNT; kind++) {
			const struct api_error *e = api_find_error(&ec2_errors, 0, err, kind, STR_NONE);
			assert_int_equal(e->err, err);
			assert_true(e->status >= 400 && e->status < 600);
			assert_true(e->code && *e->code);
			assert_true(e->kind == KIND_NONE || e->kind == kind);
		}
		assert_non_null(api_find_error(&sts_errors, 0, err, KIND_NONE, STR_NONE)->code);
	}
	for (int fault = SIGV4_FINE + 1; fault <= SIGV4_SCOPE; fault++) {
		assert_non_null(ec2_faults[fault].code);
		assert_non_null(query_faults[fault].code);
	}
}

static void test_error_rows_are_reached(void **state)
{
	(void) state;
	const struct api_errors *const tables[] = {&ec2_errors, &sts_errors, &iam_errors, &cloudstack_errors};
	for (size_t n = 0; n < sizeof tables / sizeof tables[0]; n++) {
		const struct api_error *at = tables[n]->at;
		assert_int_equal(at[tables[n]->count - 1].err, ERR_INTERNAL);
		for (size_t k = 0; k < tables[n]->count; k++)
			assert_ptr_equal(api_find_error(tables[n], at[k].parts, at[k].err, at[k].kind,
							str_from(at[k].field)),
					 &at[k]);
	}
}

static void test_codes(void **state)
{
	static const struct {
		enum err err;
		enum kind kind;
		const char *field, *code;
		int status;
	} cases[] = {
		{ERR_NOT_FOUND, KIND_INSTANCE, "InstanceId.1", "InvalidInstanceID.NotFound", 400},
		{ERR_NOT_FOUND, KIND_ADDRESS, "AllocationId", "InvalidAllocationID.NotFound", 400},
		{ERR_NOT_FOUND, KIND_ADDRESS, "PublicIp", "InvalidAddress.NotFound", 400},
		{ERR_NOT_FOUND, KIND_INSTANCE_TYPE, "InstanceType", "InvalidParameterValue", 400},
		{ERR_IN_USE, KIND_ROUTER, "VpcId", "DependencyViolation", 400},
		{ERR_DRY_RUN, KIND_NONE, "", "DryRunOperation", 412},
		{ERR_DENIED, KIND_INSTANCE, "", "UnauthorizedOperation", 403},
		{ERR_CAPACITY, KIND_INSTANCE, "", "InsufficientInstanceCapacity", 500},
		{ERR_AGAIN, KIND_NONE, "", "Unavailable", 503},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		const struct api_error *e = api_find_error(&ec2_errors, 0, cases[k].err, (int) cases[k].kind,
							   str_from(cases[k].field));
		assert_string_equal(e->code, cases[k].code);
		assert_int_equal(e->status, cases[k].status);
	}
}

/* Every limit needs its own error code: without a row in the table, EC2's code would be that of too many
 * tags. */
static void check_limit_codes(void **state)
{
	(void) state;
	const char *other = api_find_error(&ec2_errors, 0, ERR_QUOTA, KIND_NONE, STR_NONE)->code;
	for (enum limit_id limit = 0; limit < LIMIT_COUNT; limit++) {
		const struct kind_info *k = &model_kinds[engine_limits[limit].kind];
		if (!k->ec2_prefix[0] && k->kind != KIND_ROUTE && k->kind != KIND_CLIENT_TOKEN)
			continue;
		if (k->kind == KIND_SUPPORT_TICKET ||
		    k->kind == KIND_ADDRESS_PREFIX) /* no action makes one */
			continue;
		if (strcmp(api_find_error(&ec2_errors, 0, ERR_QUOTA, k->kind, STR_NONE)->code, other) == 0)
			fail_msg("EC2 has no code for too many of %s", k->name);
	}
}

/* Each code that EC2 documents is answered, or is left out for a reason; its actions are built ones. */
static void check_documented_codes(void **state)
{
	size_t count = 0;
	const struct ec2_code *codes = ec2_list_codes(&count);
	(void) state;
	for (size_t k = 0; k < count; k++) {
		const struct ec2_code *c = &codes[k];
		bool concerns = false;
		for (size_t n = 0; n < action_count && !concerns; n++)
			concerns = ec2_concerns_code(actions[n], c);
		if (k && strcmp(codes[k - 1].code, c->code) >= 0)
			fail_msg("the code %s is not at its place", c->code);
		if (ec2_is_answered_code(c->code) == (ec2_why_no_code(c->code) != NULL))
			fail_msg("the code %s is answered, and has a reason why it is not, or neither",
				 c->code);
		if (concerns != !(c->actions && !*c->actions))
			fail_msg("the actions of the code %s are not built", c->code);
	}
}

static bool is_built(const struct api_groups *groups, struct str name)
{
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count; k++)
			if (str_is(name, api_action_at(groups->at[g], k)->name))
				return true;
	return false;
}

/* The same of IAM's and STS's. */
static void check_query_codes(const struct query_codes *codes, const struct api_groups *groups)
{
	for (size_t k = 0; k < codes->count; k++) {
		const struct query_code *c = &codes->at[k];
		struct str rest = str_from(c->actions), name;
		if (k && strcmp(codes->at[k - 1].code, c->code) >= 0)
			fail_msg("the code %s is not at its place", c->code);
		if (query_is_answered_code(codes, c->code) == (query_why_no_code(codes, c->code) != NULL))
			fail_msg("the code %s is answered, and has a reason why it is not, or neither",
				 c->code);
		while (str_split_next(&rest, '|', &name))
			if (!str_is(name, "*") && !is_built(groups, name))
				fail_msg("%s: the action %.*s is not built", c->code, STR_ARG(name));
	}
	for (size_t k = 0; k < codes->reason_count; k++) {
		bool is_listed = false;
		for (size_t n = 0; n < codes->count; n++)
			is_listed = is_listed || strcmp(codes->at[n].code, codes->reasons[k].code) == 0;
		if (!is_listed)
			fail_msg("a reason for %s, which is no code", codes->reasons[k].code);
	}
}

static void check_documented_codes_of_iam(void **state)
{
	(void) state;
	check_query_codes(&iam_codes, &iam_action_groups);
	check_query_codes(&sts_codes, &ec2_action_groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_documented_codes),
		cmocka_unit_test(check_documented_codes_of_iam),
		cmocka_unit_test(check_limit_codes),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_attributes_are_fields),
		cmocka_unit_test(test_account_indexes),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_error_rows_are_reached),
		cmocka_unit_test(test_codes),
	};
	return cmocka_run_group_tests(tests, sum_up, 0);
}
