/* SPDX-License-Identifier: Apache-2.0
 * A face as a whole: the parts of the region that it uses, its actions, and its life. */
#pragma once

#include "api/core/action.h"
#include "api/core/response_cache.h"

struct api_protocol;
struct scaling_source;
struct bearers;
struct login_links;
struct executor;
struct guards;
struct issuers;
struct limits;
struct fleet_override;
struct native_commands;
struct passwords;
struct sigv4;
struct tickets;
struct tokens;
struct last_used;

/* Parts of a region for its faces. All of them outlive the faces. */
struct api_config {
	struct store *store;
	struct guards *guards;         /* evaluate policies; NULL: roles alone decide */
	struct limits *limits;         /* rate limits of callers; NULL: there are none */
	struct reconciler *reconciler; /* NULL: no host can be asked */
	struct sigv4 *sigv4;           /* checks signatures of AWS's clients */
	struct tokens *tokens;         /* OpenStack's tokens */
	struct bearers *bearers;       /* Azure's tokens */
	struct tickets *tickets;       /* tickets to consoles */
	struct login_links *entries;   /* one-time links into the console; NULL: there are none */
	struct issuers *issuers;       /* issuers of web identities; NULL: none can be asked */
	struct passwords *
		passwords; /* checks passwords; each face runs it on its own lane. NULL: nobody can sign in by one */
	struct lane *key_lane;     /* generates key pairs */
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes, which decrypt the secrets of access keys */
	const struct native_commands *commands; /* the operator's; NULL: there are none */
	struct executor *executor;              /* runs a face's own actors; NULL: it has none */
	struct last_used
		*uses; /* records the last uses of keys, roles and passwords; NULL: they are not recorded */
	/* Reads the launch parameters of a scaling group's source, as the caller and in the open view: only EC2's face knows these
	 * parameters. An override whose parameters are refused carries the reason. NULL: groups launch nothing. */
	struct result (*read_scaling)(struct ctx *c, const struct view *view,
				      const struct scaling_source *source,
				      struct fleet_override **ret_launches, size_t *ret_count);
	struct str region;           /* name of the region; a face copies it */
	struct str ticket_directory; /* directory of tickets' files; empty: files cannot be attached */
	struct str backup_target;    /* target of volumes' backups; empty: backups are refused */
	struct str flow_log_bucket;  /* name of the bucket for flow logs; outlives the face */
	struct str endpoint; /* our URL for answers that no request led to: "http://127.0.0.1:8788"; copied */
};

/* An action with its row of the audit table; NULL: its calls are not recorded. */
struct api_entry {
	const struct api_action *action;
	const struct audited *audited;
};
struct api_entry api_entry_of(const struct api_action *action);

enum { API_ACTIONS_MAX = 384 };

/* Actions sorted by name. */
struct api_entries {
	struct api_entry at[API_ACTIONS_MAX];
	size_t count;
	bool ignores_case; /* of names */
};
/* Sorts the actions of all groups. Each name must be unique. */
void api_sum_actions(const struct api_groups *groups, struct api_entries *ret_entries);
/* NULL: no action has that name. */
const struct api_entry *api_find_action(const struct api_entries *entries, struct str name);

/* A face's own struct begins with this. */
struct api_face {
	const struct api_protocol *protocol;
	struct api_config config;
	struct lane *lane;            /* does the work of calls whose prepare sets no lane */
	struct response_cache *cache; /* NULL: no answer is cached */
	struct api_entries entries;
	char *region, *endpoint; /* private: the config's copies */
};

/* Makes a face of protocol->face_size bytes. ERR_NO_MEMORY. */
RESULT api_face_new(struct ctx *c, const struct api_protocol *protocol, const struct api_config *config,
		    struct api_face **ret_face);
void api_face_free(struct api_face *face); /* after its listeners are gone; NULL: nothing */

/* ---- for listeners ---- */

enum { API_BODY_CAP_SIZE = 1024 * 1024 };

/* The callbacks for http_listen(), with a face as self. A listener of several faces has its own callbacks, which choose
 * the face and call these functions. The listener bounds the size of bodies. */
extern const struct http_face api_http_face;
void api_handle_call(void *self, struct call *call);
void api_begin_call(void *self, struct call *call);
void api_reject(void *self, struct call *call, int status, enum err why);

/* Writes a table in Markdown: each action, its sentence, and the parameters that are refused. */
void api_write_coverage(struct buf *out, const struct api_groups *groups);
