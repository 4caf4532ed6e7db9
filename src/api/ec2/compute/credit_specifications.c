/* SPDX-License-Identifier: Apache-2.0
 * DescribeInstanceCreditSpecifications, ModifyInstanceCreditSpecification: the credit option of burstable
 * instances. No guest is throttled. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/instance/instance.h"
#include "model/instance.h"
#include "store/instance_type.h"

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

/* Instances given by id are all shown; without ids only those with "unlimited" credits, as in EC2. */
static bool is_asked(struct ec2_call *e, const struct row *row)
{
	const struct ec2_describe_credits *a = e->args;
	const struct instance *instance = instance_of(row);
	return row_is_live(row) && is_burstable(ec2_tables(e), instance) &&
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
						  .shows = is_asked,
						  .write = write_credits};

static RESULT check_burstable(struct ec2_call *e, const struct ref *ref)
{
	const struct instance *instance = NULL;
	TRY(engine_find_instance(e->c, ec2_tables(e), ref, &instance));
	if (is_burstable(ec2_tables(e), instance))
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

/* ---- modify ---- */

struct ec2_credit_change {
	struct ref instance;
	struct str credits;
};
static const struct param change_params[] = {
	PARAM(struct ec2_credit_change, "InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "An instance of a burstable type."),
	PARAM(struct ec2_credit_change, "CpuCredits", credits, .flags = REQUIRED,
	      .words = "standard|unlimited", .doc = "Stored and shown; has no effect."),
};
static const struct params change_table = PARAMS(struct ec2_credit_change, change_params);

struct ec2_modify_credits {
	struct credit_wish wish;
	struct {
		const struct ec2_credit_change *at;
		size_t count;
	} changes;
	struct str client_token;
};
static const struct param modify_credits_params[] = {
	PARAM_LIST(struct ec2_modify_credits, "InstanceCreditSpecification", changes, change_table,
		   .flags = REQUIRED, .max = 1000,
		   .doc = "Instances to change. Each one succeeds or fails by itself."),
	PARAM(struct ec2_modify_credits, "ClientToken", client_token, .max = 64,
	      .doc = "Accepted; repeating the request changes nothing."),
};

static RESULT check_named_once(struct ec2_call *e, const struct ec2_modify_credits *a)
{
	for (size_t k = 0; k < a->changes.count; k++)
		for (size_t n = 0; n < k; n++) {
			struct str id = a->changes.at[k].instance.text;
			if (!str_equal(a->changes.at[n].instance.text, id))
				continue;
			struct result failed =
				ctx_fail_kind(e->c, ERR_CONFLICT, KIND_INSTANCE,
					      "The instance '%" STR_FMT "' is named twice.", STR_ARG(id));
			e->c->problem.field = STR("InstanceCreditSpecification");
			return failed;
		}
	return OK;
}

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_credits *a = args;
	struct credit_change *changes = arena_new_array(e->c->arena, struct credit_change, a->changes.count);
	if (!changes)
		return ctx_no_memory(e->c);
	TRY(check_named_once(e, a));
	for (size_t k = 0; k < a->changes.count; k++)
		changes[k] =
			(struct credit_change){.instance = a->changes.at[k].instance,
					       .unlimited = str_is(a->changes.at[k].credits, "unlimited")};
	a->wish.changes = changes;
	a->wish.count = a->changes.count;
	return OK;
}

static void write_change(struct xml *x, const struct credit_change *change)
{
	xml_open(x, "item");
	xml_text(x, "instanceId", change->instance.text);
	if (change->err != ERR_NONE) {
		xml_open(x, "error");
		xml_z(x, "code",
		      change->err == ERR_NOT_FOUND ? "InvalidInstanceID.NotFound"
		      : change->err == ERR_STATE   ? "IncorrectInstanceState"
						   : "InstanceCreditSpecification.NotSupported");
		xml_text(x, "message", change->message);
		xml_close(x, "error");
	}
	xml_close(x, "item");
}

static RESULT ec2_modify_credits(struct ec2_call *e, const void *args, struct xml *x)
{
	static const char *const sets[] = {"successfulInstanceCreditSpecificationSet",
					   "unsuccessfulInstanceCreditSpecificationSet"};
	const struct ec2_modify_credits *a = args;
	(void) e;
	for (size_t set = 0; set < 2; set++) {
		xml_open(x, sets[set]);
		for (size_t k = 0; k < a->wish.count; k++)
			if ((a->wish.changes[k].err != ERR_NONE) == (set == 1))
				write_change(x, &a->wish.changes[k]);
		xml_close(x, sets[set]);
	}
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeInstanceCreditSpecifications"),
	 .args = PARAMS(struct ec2_describe_credits, describe_credits_params), .answer = ec2_describe_credits,
	 .filters = FILTERS(credit_filters), .doc = "Lists the credit option of burstable instances."},
	{EC2_ACTION("ModifyInstanceCreditSpecification"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_credits, modify_credits_params), .prepare = prepare_modify,
	 .operation = engine_change_credits_run, .answer = ec2_modify_credits,
	 .doc = "Sets the credit option of burstable instances, which is stored and shown only."},
};
const struct api_actions ec2_credit_actions = API_ACTIONS(actions);
