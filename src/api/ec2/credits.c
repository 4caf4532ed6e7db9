/* SPDX-License-Identifier: Apache-2.0
 * DescribeInstanceCreditSpecifications: what a burstable instance asked for. No guest is throttled. */
#include "api/ec2/list.h"
#include "api/ec2/write.h"

struct ec2_describe_credits {
	struct ec2_query query;
};
static const struct param describe_credits_params[] = {
	QUERY_IDS(struct ec2_describe_credits, "InstanceId", KIND_INSTANCE, "Instances by id."),
	QUERY_FILTERS(struct ec2_describe_credits),
	QUERY_PAGES(struct ec2_describe_credits, 5, 1000),
};

static bool is_burstable(const struct tables *t, const struct instance *instance)
{
	const struct instance_type *type = instance_type_find(t, instance->type);
	return type && type->burstable;
}

/* Named ones all; else, as in EC2, those that asked for more than the standard. */
static bool is_asked(struct ec2_call *e, const struct row *row)
{
	const struct ec2_describe_credits *a = e->args;
	const struct instance *instance = (const struct instance *) row;
	return row_is_live(row) && is_burstable(ec2_walk(e), instance) &&
	       (instance->unlimited_credits || a->query.ids.count > 0);
}

static const struct filter credit_filters[] = {
	{"instance-id", .is_id = true},
};

static void write_credits(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct instance *instance = item;
	(void) e;
	ec2_write_id(x, "instanceId", KIND_INSTANCE, instance->row.id);
	xml_z(x, "cpuCredits", instance->unlimited_credits ? "unlimited" : "standard");
}

static const struct ec2_listing credit_listing = {.kind = KIND_INSTANCE,
						  .set = "instanceCreditSpecificationSet",
						  .filters = FILTERS(credit_filters),
						  .account_index = INSTANCE_INDEX_ACCOUNT,
						  .shows = is_asked,
						  .write = write_credits};

static RESULT check_burstable(struct ec2_call *e, const struct ref *ref)
{
	const struct instance *instance = NULL;
	TRY(engine_find_instance(e->c, ec2_walk(e), ref, &instance));
	if (is_burstable(ec2_walk(e), instance))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, ref->field,
			      "The instance '%" STR_FMT "' is not of a burstable type", STR_ARG(ref->text));
}

static RESULT ec2_describe_credits(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_credits *a = args;
	for (size_t k = 0; k < a->query.ids.count; k++)
		TRY(check_burstable(e, &a->query.ids.at[k]));
	return ec2_describe(e, &credit_listing, &a->query, x);
}

static const struct ec2_action actions[] = {
	{"DescribeInstanceCreditSpecifications", "ec2:DescribeInstanceCreditSpecifications", 0,
	 PARAMS(struct ec2_describe_credits, describe_credits_params), .answer = ec2_describe_credits,
	 .filters = FILTERS(credit_filters), .doc = "The credit option of burstable instances."},
};
const struct ec2_actions ec2_credit_actions = ACTIONS(actions);
