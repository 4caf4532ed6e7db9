/* SPDX-License-Identifier: Apache-2.0
 * Instance profiles on instances: AssociateIamInstanceProfile, DisassociateIamInstanceProfile,
 * ReplaceIamInstanceProfileAssociation, DescribeIamInstanceProfileAssociations. The profiles themselves are
 * IAM's (api/iam/profiles.c). */
#include "api/ec2/compute/iam_instance_profiles.h"

#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/instance/profile_association.h"
#include "model/iam_name.h"
#include "model/profile_association.h"
#include "store/account.h"
#include "store/instance_profile.h"

/* ---- as they are shown ---- */

struct ec2_profile_item ec2_gather_profile(struct ec2_call *e, const struct instance_profile *profile)
{
	const struct account *account = profile ? account_find(ec2_tables(e), profile->account) : NULL;
	struct arena *a = e->c->arena;
	if (!account)
		return (struct ec2_profile_item){STR_NONE, STR_NONE};
	return (struct ec2_profile_item){
		iam_arn_to_text(a, account->number, KIND_INSTANCE_PROFILE, &profile->row),
		iam_id_to_text(a, KIND_INSTANCE_PROFILE, profile->row.id)};
}

void ec2_write_profile(struct xml *x, const struct ec2_profile_item *profile)
{
	if (str_is_empty(profile->arn))
		return;
	xml_open(x, "iamInstanceProfile");
	xml_text(x, "arn", profile->arn);
	xml_text(x, "id", profile->id);
	xml_close(x, "iamInstanceProfile");
}

struct association_item {
	const struct profile_association *row;
	struct ec2_profile_item profile;
};

static const void *gather_association(struct ec2_call *e, const struct row *row)
{
	struct association_item *item = arena_new_object(e->c->arena, struct association_item);
	if (!item)
		return NULL;
	item->row = profile_association_of(row);
	item->profile =
		ec2_gather_profile(e, instance_profile_find(ec2_tables(e), item->row->instance_profile));
	return item;
}

static void write_association(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct association_item *i = item;
	ec2_write_id(x, "associationId", KIND_PROFILE_ASSOCIATION, i->row->row.id);
	ec2_write_id(x, "instanceId", KIND_INSTANCE, i->row->instance);
	ec2_write_profile(x, &i->profile);
	xml_z(x, "state", ec2_state_in_answer(e, "associated"));
	xml_time_ms(x, "timestamp", i->row->row.created_us);
}

/* ---- describe ---- */

struct ec2_describe_associations {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_associations, "AssociationId", KIND_PROFILE_ASSOCIATION,
		  "Associations by id."),
	QUERY_FILTERS(struct ec2_describe_associations),
	QUERY_PAGES(struct ec2_describe_associations, 5, 1000),
};

static const struct filter association_filters[] = {
	{"instance-id", .field = "instance", .index = PROFILE_ASSOCIATION_INDEX_INSTANCE},
	{"state", .fixed = "associated"},
};

static const struct ec2_listing association_listing = {.kind = KIND_PROFILE_ASSOCIATION,
						       .set = "iamInstanceProfileAssociationSet",
						       .filters = FILTERS(association_filters),
						       .gather = gather_association,
						       .write = write_association};

/* ---- changes ---- */

static RESULT choose_profile(struct ec2_call *e, const struct ref *arn, const struct ref *name,
			     struct ref *ret_profile)
{
	return request_choose(e->c, arn, "IamInstanceProfile.Arn", name, "IamInstanceProfile.Name",
			      ret_profile);
}

struct ec2_associate {
	struct profile_association_wish wish;
	struct ref arn, name;
};
static const struct param associate_params[] = {
	PARAM(struct ec2_associate, "InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "The instance, which has none."),
	EC2_PROFILE(struct ec2_associate, arn, name),
};

static RESULT prepare_associate(struct ec2_call *e, void *args)
{
	struct ec2_associate *a = args;
	return choose_profile(e, &a->arn, &a->name, &a->wish.instance_profile);
}

static RESULT ec2_associate_profile(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_associate *a = args;
	return ec2_write_returned(e, &association_listing, a->wish.profile_association,
				  "iamInstanceProfileAssociation", x);
}

struct ec2_replace {
	struct profile_association_change wish;
	struct ref arn, name;
};
static const struct param replace_params[] = {
	PARAM(struct ec2_replace, "AssociationId", wish.profile_association, .flags = REQUIRED,
	      .kind = KIND_PROFILE_ASSOCIATION, .doc = "The association that is to end."),
	EC2_PROFILE(struct ec2_replace, arn, name),
};

static RESULT prepare_replace(struct ec2_call *e, void *args)
{
	struct ec2_replace *a = args;
	return choose_profile(e, &a->arn, &a->name, &a->wish.instance_profile);
}

static RESULT ec2_replace_profile(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_replace *a = args;
	return ec2_write_returned(e, &association_listing, a->wish.made, "iamInstanceProfileAssociation", x);
}

static const struct param disassociate_params[] = {
	PARAM(struct profile_association_target, "AssociationId", profile_association, .flags = REQUIRED,
	      .kind = KIND_PROFILE_ASSOCIATION, .doc = "The association."),
};

static RESULT ec2_disassociate_profile(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct profile_association_target *a = args;
	const struct association_item *item = gather_association(e, &a->before.row);
	if (!item)
		return ctx_no_memory(e->c);
	xml_open(x, "iamInstanceProfileAssociation");
	write_association(e, x, item);
	xml_close(x, "iamInstanceProfileAssociation");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeIamInstanceProfileAssociations"),
	 .args = PARAMS(struct ec2_describe_associations, describe_params), .list = &association_listing,
	 .doc = "Which instances have which instance profile."},
	{EC2_ACTION("AssociateIamInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_associate, associate_params), .prepare = prepare_associate,
	 .operation = engine_associate_profile_run, .returns = KIND_PROFILE_ASSOCIATION,
	 .answer = ec2_associate_profile, .state_in_answer = "associating",
	 .doc = "Gives an instance a profile, whose role its guest gets."},
	{EC2_ACTION("ReplaceIamInstanceProfileAssociation"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_replace, replace_params), .prepare = prepare_replace,
	 .operation = engine_replace_profile_run, .returns = KIND_PROFILE_ASSOCIATION,
	 .answer = ec2_replace_profile, .state_in_answer = "associating",
	 .doc = "Gives an instance another profile."},
	{EC2_ACTION("DisassociateIamInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct profile_association_target, disassociate_params),
	 .operation = engine_disassociate_profile_run, .answer = ec2_disassociate_profile,
	 .state_in_answer = "disassociating",
	 .doc = "Takes an instance's profile away; credentials that its guest has hold until they expire."},
};
const struct api_actions ec2_profile_actions = API_ACTIONS(actions);
