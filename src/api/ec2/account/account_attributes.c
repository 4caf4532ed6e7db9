/* SPDX-License-Identifier: Apache-2.0
 * DescribeAccountAttributes: the account's limits and its default VPC. */
#include <inttypes.h>

#include "api/ec2/core/write.h"
#include "engine/network/filter/security_group.h"
#include "store/account.h"

struct ec2_describe_account {
	struct strs names;
};
static const struct param describe_account_params[] = {
	PARAM(struct ec2_describe_account, "AttributeName", names,
	      .doc = "Attributes by name; absent: all of them."),
};

static struct str limit_text(struct arena *a, int64_t limit)
{
	return str_print(a, "%" PRId64, limit < 0 ? INT64_MAX : limit);
}

static struct str default_vpc(struct arena *a, const struct account *account)
{
	return uuid_is_none(account->default_router) ? STR("none")
						     : id_to_ec2(a, KIND_ROUTER, account->default_router);
}

static struct str max_instances(struct arena *a, const struct account *account)
{
	return limit_text(a, account->limit_instances);
}

static struct str max_addresses(struct arena *a, const struct account *account)
{
	return limit_text(a, account->limit_addresses);
}

static struct str max_groups_of_port(struct arena *a, const struct account *account)
{
	(void) account;
	return limit_text(a, PORT_GROUPS_MAX);
}

static struct str platforms(struct arena *a, const struct account *account)
{
	(void) a;
	(void) account;
	return STR("VPC");
}

static const struct {
	const char *name;
	struct str (*get)(struct arena *a, const struct account *account);
} attributes[] = {
	{"supported-platforms", platforms},     {"vpc-max-security-groups-per-interface", max_groups_of_port},
	{"max-elastic-ips", max_addresses},     {"max-instances", max_instances},
	{"vpc-max-elastic-ips", max_addresses}, {"default-vpc", default_vpc},
};
enum { ATTRIBUTE_COUNT = sizeof attributes / sizeof attributes[0] };

static RESULT check_name(struct ec2_call *e, struct str name)
{
	for (size_t n = 0; n < ATTRIBUTE_COUNT; n++)
		if (str_is(name, attributes[n].name))
			return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("AttributeName"),
			      "Value (%" STR_FMT ") for parameter attributeName is invalid. Unknown account "
			      "attribute",
			      STR_ARG(name));
}

static RESULT prepare_describe(struct ec2_call *e, void *args)
{
	const struct ec2_describe_account *a = args;
	for (size_t k = 0; k < a->names.count; k++)
		TRY(check_name(e, a->names.at[k]));
	return OK;
}

static RESULT ec2_describe_account_attributes(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_account *a = args;
	const struct account *account = account_find(ec2_tables(e), engine_get_account(e->c));
	if (!account)
		return ctx_fail(e->c, ERR_DENIED, "The account is not there any more");
	xml_open(x, "accountAttributeSet");
	for (size_t n = 0; n < ATTRIBUTE_COUNT; n++) {
		if (!request_asks_for(a->names, str_from(attributes[n].name)))
			continue;
		xml_open(x, "item");
		xml_z(x, "attributeName", attributes[n].name);
		xml_open(x, "attributeValueSet");
		xml_open(x, "item");
		xml_text(x, "attributeValue", attributes[n].get(e->c->arena, account));
		xml_close(x, "item");
		xml_close(x, "attributeValueSet");
		xml_close(x, "item");
	}
	xml_close(x, "accountAttributeSet");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeAccountAttributes"),
	 .args = PARAMS(struct ec2_describe_account, describe_account_params), .prepare = prepare_describe,
	 .answer = ec2_describe_account_attributes, .doc = "Lists the account's limits and its default VPC."},
};
const struct api_actions ec2_account_actions = API_ACTIONS(actions);
