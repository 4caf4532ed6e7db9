/* SPDX-License-Identifier: Apache-2.0
 * The region's key that signs messages of topics, and its certificate. They are settings, so that each process of a region signs
 * with the same key. Made by: reconcile/messaging/notification.c, for the first message. */
#include "engine/internal.h"
#include "engine/messaging/messaging.h"
#include "engine/region/region.h"
#include "store/setting.h"

#define KEY STR("sns.key")
#define CERTIFICATE STR("sns.certificate")

struct topic_key engine_get_topic_key(const struct tables *t)
{
	return (struct topic_key){engine_get_setting(t, KEY), engine_get_setting(t, CERTIFICATE)};
}

static RESULT put(struct op *op, struct str name, struct str value)
{
	struct setting made = {
		.row = {.id = engine_new_id(op, KIND_SETTING), .gen = 1}, .name = name, .value = value};
	return setting_put(op, &made);
}

RESULT engine_put_topic_key(struct op *op, struct topic_key *wish)
{
	if (engine_get_topic_key(op->head).sealed.n)
		return OK;
	TRY(put(op, KEY, wish->sealed));
	return put(op, CERTIFICATE, wish->cert_pem);
}
