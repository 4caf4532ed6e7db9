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

struct shown_profile {
	struct row row; /* no row of the store */
	struct str arn, id;
};

const void *ec2_show_profile(struct ec2_call *e, const struct instance_profile *profile)
{
	const struct account *account = profile ? account_find(ec2_tables(e), profile->account) : NULL;
	struct arena *a = e->c->arena;
	struct shown_profile *shown = account ? arena_new_object(a, struct shown_profile) : NULL;
	if (!shown)
		return NULL;
	shown->arn = iam_arn_to_text(a, account->number, KIND_INSTANCE_PROFILE, &profile->row);
	shown->id = iam_id_to_text(a, KIND_INSTANCE_PROFILE, profile->row.id);
	return shown;
}

static const struct attribute profile_rows[] = {
	ATTRIBUTE(shown_profile, "arn", arn, .filter = "iam-instance-profile.arn"),
	ATTRIBUTE(shown_profile, "id", id, .filter = "iam-instance-profile.id"),
};
const struct attributes ec2_profile_members = ATTRIBUTES(profile_rows);

static const void *find_profile(struct api_call *e, const struct row *row)
{
	uuid id = profile_association_of(row)->instance_profile;
	return ec2_show_profile(ec2_call_of(e), instance_profile_find(api_tables(e), id));
}

static const struct attribute association_rows[] = {
	ATTRIBUTE_OWN_ID(profile_association, "associationId", KIND_PROFILE_ASSOCIATION),
	ATTRIBUTE_REF(profile_association, "instanceId", instance, KIND_INSTANCE, .filter = "instance-id",
		      .index = PROFILE_ASSOCIATION_INDEX_INSTANCE),
	ATTRIBUTE_WITHIN_OF("iamInstanceProfile", ec2_profile_members, find_profile),
	ATTRIBUTE_CONST("state", "associated", .flags = ATTRIBUTE_IN_ANSWER, .filter = "state"),
	ATTRIBUTE_AS(TIME, profile_association, "timestamp", row.created_us),
};
static const struct attributes association_members = ATTRIBUTES(association_rows);

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

static const struct ec2_listing association_listing = {.kind = KIND_PROFILE_ASSOCIATION,
						       .set = "iamInstanceProfileAssociationSet",
						       .filters = FILTERS_OF(association_members),
						       .attributes = &association_members};

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
	      .doc = "An instance without a profile."),
	EC2_PROFILE(struct ec2_associate, arn, name),
};

static RESULT prepare_associate(struct ec2_call *e, void *args)
{
	struct ec2_associate *a = args;
	return choose_profile(e, &a->arn, &a->name, &a->wish.instance_profile);
}

struct ec2_replace {
	struct profile_association_change wish;
	struct ref arn, name;
};
static const struct param replace_params[] = {
	PARAM(struct ec2_replace, "AssociationId", wish.profile_association, .flags = REQUIRED,
	      .kind = KIND_PROFILE_ASSOCIATION, .doc = "The association to replace."),
	EC2_PROFILE(struct ec2_replace, arn, name),
};

static RESULT prepare_replace(struct ec2_call *e, void *args)
{
	struct ec2_replace *a = args;
	return choose_profile(e, &a->arn, &a->name, &a->wish.instance_profile);
}

static const struct param disassociate_params[] = {
	PARAM(struct profile_association_target, "AssociationId", profile_association, .flags = REQUIRED,
	      .kind = KIND_PROFILE_ASSOCIATION, .doc = "The association."),
};

static RESULT ec2_disassociate_profile(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct profile_association_target *a = args;
	xml_open(x, "iamInstanceProfileAssociation");
	ec2_write_members(e, x, &association_members, &a->before.row);
	xml_close(x, "iamInstanceProfileAssociation");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeIamInstanceProfileAssociations"),
	 .args = PARAMS(struct ec2_describe_associations, describe_params), .list = &association_listing,
	 .doc = "Lists the associations of instances with instance profiles."},
	{EC2_ACTION("AssociateIamInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_associate, associate_params), .prepare = prepare_associate,
	 .operation = engine_associate_profile_run, .returns = KIND_PROFILE_ASSOCIATION,
	 EC2_SHOWS(association_listing, struct ec2_associate, wish.profile_association,
		   "iamInstanceProfileAssociation"),
	 .state_in_answer = "associating",
	 .doc = "Associates an instance profile with an instance, whose guest then gets the role's "
		"credentials."},
	{EC2_ACTION("ReplaceIamInstanceProfileAssociation"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_replace, replace_params), .prepare = prepare_replace,
	 .operation = engine_replace_profile_run, .returns = KIND_PROFILE_ASSOCIATION,
	 EC2_SHOWS(association_listing, struct ec2_replace, wish.made, "iamInstanceProfileAssociation"),
	 .state_in_answer = "associating", .doc = "Replaces the instance profile of an instance."},
	{EC2_ACTION("DisassociateIamInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct profile_association_target, disassociate_params),
	 .operation = engine_disassociate_profile_run, .answer = ec2_disassociate_profile,
	 .state_in_answer = "disassociating",
	 .doc = "Removes the instance profile of an instance. Credentials that the guest has stay valid "
		"until they expire."},
};
const struct api_actions ec2_profile_actions = API_ACTIONS(actions);
