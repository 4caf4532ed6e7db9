/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, in its middle: clouds elsewhere. */
#pragma once

static RESULT make_cloud_elsewhere(struct cloud *c, int n)
{
	struct provider_wish wish = {.id = id_new(KIND_PROVIDER),
				     .name = numbered(c, "cloud", n),
				     .region = STR("eu-central-1"),
				     .login = STR("AKIA"),
				     .secret = STR("sealed")};
	MAKE(c, &c->alice, engine_create_provider, wish, id);
}
DROP(cloud_elsewhere, engine_delete_provider, provider_target, .provider = ref_to(c, KIND_PROVIDER, made))

/* ---- their machines ---- */

static unsigned clouds;
static void is_a_cloud_elsewhere(struct cloud *c)
{
	struct provider_wish wish = {.id = id_new(KIND_PROVIDER),
				     .name = str_print(c->arena, "cloud-%u", ++clouds),
				     .region = STR("eu-central-1"),
				     .login = STR("AKIA"),
				     .secret = STR("sealed")};
	cloud_ok(c, &c->alice, engine_create_provider, &wish);
	owner = wish.id;
}
static RESULT make_remote_machine(struct cloud *c, int n)
{
	struct remote_create_wish wish = {.id = id_new(KIND_REMOTE_MACHINE),
					  .provider = ref_to(c, KIND_PROVIDER, owner),
					  .name = numbered(c, "machine", n),
					  .image = STR("ami-1"),
					  .type = STR("t3.micro")};
	MAKE(c, &c->alice, engine_create_remote_machine, wish, id);
}
static void drop_remote_machine(struct cloud *c)
{
	struct remote_machines_loss wish = {.provider = owner, .at = &made, .count = 1, .is_final = true};
	cloud_ok(c, NULL, engine_miss_remote_machines, &wish);
}
