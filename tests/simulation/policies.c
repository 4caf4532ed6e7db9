/* SPDX-License-Identifier: Apache-2.0
 * IAM policies: each account has a second user, whose policy denies one action at a time. The model predicts
 * the refusal through both faces. A policy changes only while no call is under way, so that it is certain
 * which one applies. */
#include <stdio.h>

#include "auth/key/key.h"
#include "engine/people/policy/policy.h"
#include "engine/people/policy/role.h"
#include "engine/people/user.h"
#include "model/access_key.h"
#include "simulation.h"

static const struct {
	const char *action, *ec2, *openstack, *azure;
	const char *member; /* member of the body, if the path does not identify the action */
} denials[] = {
	{"ec2:RunInstances", "RunInstances", "POST /compute/v2.1/servers", "PUT virtualMachines", NULL},
	{"ec2:StopInstances", "StopInstances", "POST /compute/v2.1/servers/{server_id}/action",
	 "POST virtualMachines/deallocate|POST virtualMachines/powerOff", "\"os-stop\""},
	{"ec2:TerminateInstances", "TerminateInstances", "DELETE /compute/v2.1/servers/{server_id}",
	 "DELETE virtualMachines", NULL},
	{"ec2:CreateVolume", "CreateVolume", "POST /volume/v3/volumes", "PUT disks", NULL},
	{"ec2:CreateSnapshot", "CreateSnapshot", "POST /volume/v3/snapshots", "PUT snapshots", NULL},
	{"ec2:AllocateAddress", "AllocateAddress", "POST /network/v2.0/floatingips", "PUT publicIPAddresses",
	 NULL},
	{"ec2:CreateNetworkInterface", "CreateNetworkInterface", "POST /network/v2.0/ports",
	 "PUT networkInterfaces", NULL},
	{"ec2:DeregisterImage", "DeregisterImage", "DELETE /image/v2/images/{image_id}", "DELETE images",
	 NULL},
	{"ec2:PauseInstances", "-", "POST /compute/v2.1/servers/{server_id}/action", "-", "\"pause\""},
};
enum { DENIALS = sizeof denials / sizeof *denials };

static struct ref ref_to(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

void policies_add_hand(struct region *r, unsigned account)
{
	struct cloud *c = r->cloud;
	struct world_user *hand = &r->hands[account];
	const struct identity *owner = &r->users[account].who;
	struct access_key key = {.row.id = uuid_random()};
	struct user_wish user = {.name = str_print(c->arena, "hand%u", account)};
	cloud_ok(c, NULL, engine_create_user, &user);
	struct role_grant grant = {.role = {.kind = KIND_ROLE, .text = STR("member")},
				   .user = ref_to(KIND_USER, user.user),
				   .account = ref_to(KIND_ACCOUNT, owner->account)};
	cloud_ok(c, NULL, engine_grant_role, &grant);
	cloud_expect_at(c, key_draw(&c->c, r->master_key, &key, &hand->secret), __FILE__, __LINE__);
	struct access_key_wish wish = {.user = grant.user, .account = grant.account, .key = &key};
	cloud_ok(c, NULL, engine_create_access_key, &wish);
	hand->key_id = key.key_id;
	hand->who =
		(struct identity){.rights = RIGHTS_OF_MEMBER, .account = owner->account, .user = user.user};
	hand->tenant = r->users[account].tenant;
}

void policies_change(struct simulation *s)
{
	struct cloud *c = s->region.cloud;
	unsigned account = (unsigned) random_below(ACCOUNTS);
	size_t which = (size_t) random_below(DENIALS + 2);
	struct inline_policy_wish wish = {.user = ref_to(KIND_USER, s->region.hands[account].who.user),
					  .name = STR("deny")};
	struct identity owner = s->region.users[account].who;
	owner.is_owner = true;
	bool was_denied = s->denied[account] != 0;
	request_judge_open(s, NULL);
	s->denied[account] = which < DENIALS ? (unsigned) which + 1 : 0;
	tell(s, "account %u denies its second user %s", account,
	     which < DENIALS ? denials[which].action : "nothing");
	if (which < DENIALS) {
		wish.document =
			str_print(c->arena,
				  "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Deny\", "
				  "\"Action\": \"%s\", \"Resource\": \"*\"}]}",
				  denials[which].action);
		cloud_ok(c, &owner, engine_put_inline_policy, &wish);
	} else if (was_denied) {
		cloud_ok(c, &owner, engine_delete_inline_policy, &wish);
	}
}

static bool is_among(const char *calls, const char *action)
{
	struct str rest = str_from(calls), call;
	while (str_split_next(&rest, '|', &call))
		if (str_is(call, action))
			return true;
	return false;
}

bool policies_is_about(const struct request *x)
{
	unsigned which = x->s->denied[x->account];
	const char *action = x->operation->action;
	if (which && request_is_azure(x))
		return is_among(denials[which - 1].azure, action);
	return which &&
	       strcmp(action, request_word(x, denials[which - 1].ec2, denials[which - 1].openstack)) == 0;
}

static bool is_denied(const struct request *x)
{
	if (!x->is_hand || !policies_is_about(x))
		return false;
	const char *member = denials[x->s->denied[x->account] - 1].member;
	return !request_is_openstack(x) || !member || strstr(x->text, member) == x->text;
}

void policies_judge(const struct request *x, struct verdict *v)
{
	bool is_networks = strstr(x->path, " /network/") != NULL;
	if (is_denied(x))
		refuse(v, request_is_azure(x)        ? "AuthorizationFailed"
			  : !request_is_openstack(x) ? "UnauthorizedOperation"
			  : is_networks              ? "403 PolicyNotAuthorized"
						     : "403");
}
