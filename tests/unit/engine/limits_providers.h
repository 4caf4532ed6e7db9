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
