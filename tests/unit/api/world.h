/* SPDX-License-Identifier: Apache-2.0
 * A whole region in one thread: store in memory, engine, reconciler, simulated hosts and network,
 * and the EC2, OpenStack, CloudStack and Azure faces, called without sockets. Clock and randomness are fixed: the same calls
 * give the same answers, byte for byte. A failure of the set-up aborts. */
#pragma once

#include "api/ec2/core/ec2.h"
#include "api/iam/iam.h"
#include "api/native/native.h"
#include "api/openstack/core/openstack.h"
#include "auth/guard/guard.h"
#include "auth/key/last_used.h"
#include "auth/key/sigv4.h"
#include "auth/limit.h"
#include "auth/sign_in/password.h"
#include "auth/token/bearer.h"
#include "auth/token/issuers.h"
#include "auth/token/ticket.h"
#include "auth/token/token.h"
#include "drivers/backup_store.h"
#include "fake_http.h"
#include "model/identity.h"

struct world_user {
	struct str key_id, secret, token; /* token: of temporary credentials */
	struct identity who;
	uuid tenant; /* the account's domain */
};

/* A call signed as the user (NULL: unsigned), ready to be handled; its texts in c's arena. Without
 * "Version=" in the parameters the face's own is added. */
void world_sign_call(struct ctx *c, const struct world_user *user, const char *method, struct str parameters,
		     struct fake_call *ret_call);

/* A request to an OpenStack service with a token of the user's (NULL: with none), likewise; or to CloudStack's
 * path, signed with the user's key; or to Azure's, with a token that the user's key proves. */
struct script_request;
void world_request_call(struct ctx *c, struct tokens *tokens, struct bearers *bearers,
			const struct world_user *user, const struct script_request *request,
			struct fake_call *ret_call);
/* Signing key of Azure's tokens, shared by all worlds of the process, because generating one takes long. */
const char *world_bearer_key(void);

struct world {
	struct arena *arena;
	struct ctx c;
	struct executor *executor;
	struct store *store;
	struct reconciler *reconciler;
	struct sigv4 *sigv4;
	struct last_used *uses;
	struct issuers *issuers;
	struct guards *guards;
	struct limits *limits; /* NULL at first: none */
	struct tokens *tokens;
	struct bearers *bearers;
	struct tickets *tickets;
	struct passwords *passwords;
	struct lane *key_lane;
	struct api_face *face;
	struct api_face *iam;
	struct api_face *openstack;
	struct api_face *native;
	struct api_face *cloudstack;
	struct api_face *azure;
	struct api_face *support, *events, *acm, *dlm, *awsbackup, *cloudwatch, *autoscaling, *elb,
		*elb_classic, *scim;
	struct identity operator;
	struct world_user alice, bob, admin; /* admin: of OpenStack's project of that name */
	struct world_user steward; /* administrator of the default domain; made by the first call of SCIM */
	uuid image;
	char images[64]; /* the image store, a directory of its own, and one of backups in it */
	char backups[80];
	struct backup_target backup;
};

/* Hears of each question of the guards of the worlds that are made from now on (struct guards_config); NULL: nobody does. */
extern void (*world_hear)(int permission, enum kind kind);

void world_make(struct world *w);
void world_done(struct world *w);

/* From now on the face has these limits. */
void world_set_limits(struct world *w, const struct limits_config *config);

/* A user of the default domain with that role on the account, or (role NULL) one of the account's own without
 * any; with an access key. */
void world_add_user(struct world *w, const char *name, uuid account, const char *role,
		    struct world_user *ret_user);
/* Gives the region more public addresses than a test's launches take: at first it has eleven. */
void world_add_addresses(struct world *w);
/* An operation in somebody's name. */
RESULT world_do(struct world *w, const struct identity *who, op_run run, void *wish);

/* Runs what is due until nothing is on its way, for at most that long on the clock. */
void world_settle(struct world *w, int64_t at_most_us);

struct world_answer {
	int status;
	struct str body;    /* in the world's arena */
	struct str headers; /* "Name: value\n" of those that the face has set, but for request ids */
	bool is_json;       /* OpenStack's, and CloudStack's that was asked for as JSON */
	const char *action; /* NULL: none was known */
	int64_t longest_ns; /* run of the face (http/cost.h) */
};

/* Signs as the user and calls. */
struct world_answer world_post(struct world *w, const struct world_user *user, struct str form);
/* The same with the parameters in a query. */
struct world_answer world_get(struct world *w, const struct world_user *user, struct str query);
/* Any request, signed before by hand or not at all. */
struct world_answer world_run(struct world *w, struct fake_call *f);
/* To an OpenStack service, with a token of the user's, or to CloudStack, signed (NULL: neither). */
struct world_answer world_request(struct world *w, const struct world_user *user,
				  const struct script_request *request);
/* The text of the first element or JSON member of that name ("a.b": along a path), or empty. */
struct str world_find(struct arena *a, struct str body, struct str name);
/* The text of the first element of that name, or empty. */
struct str world_element(struct str body, const char *name);
