/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: one call of vSphere's web services, and the session that it belongs to. */
#pragma once

#include "base/buf.h"
#include "base/xml.h"
#include "drivers/remote/http.h"
#include "drivers/remote/vmware/answer.h"

/* Ids that a session keeps (struct remote_session). Empty: the server has no such object. */
enum vmware_id {
	VIM_COLLECTOR,   /* PropertyCollector */
	VIM_SESSIONS,    /* SessionManager */
	VIM_VIEWS,       /* ViewManager */
	VIM_ROOT,        /* Folder */
	VIM_SCOPE,       /* Folder or Datacenter that the region names */
	VIM_VIEW,        /* ContainerView of all that is below the scope */
	VIM_RIGHTS,      /* AuthorizationManager */
	VIM_FIELDS,      /* CustomFieldsManager; a host alone has none */
	VIM_PERFORMANCE, /* PerformanceManager */
	VIM_SEARCH,      /* SearchIndex */
	VIM_KEY,         /* key of the session */
	VIM_COUNTERS,    /* ids of performance counters, in the order of metrics.c; empty: not read yet */
	VIM_FILTER,      /* PropertyFilter of the change feed; empty: not made yet */
	VIM_VERSION,     /* version of the feed's last answer */
	VIM_FEED,        /* not empty: the feed still tells the present state */
	VIM_IDS
};
/* Versions of the API that requests name, by struct remote_session's `version`. Members of 6.7 are read only if the
 * server has that version. */
enum { VIM_VERSION_65 = 605, VIM_VERSION_67 = 607 };

/* A request that is being written. */
struct vmware_call {
	struct ctx *c;
	const char *method;
	struct buf text;
	struct xml xml;
	bool only_reads;
	struct str cookie; /* of another session than the open one; empty: the open one's */
};
/* Begins a call of an object's method. type: the object's managed type, such as "VirtualMachine". */
void vmware_begin(struct vmware_call *q, struct ctx *c, const char *method, const char *type, struct str id);
void vmware_open(struct vmware_call *q, const char *name, const char *xsi_type); /* xsi_type NULL: none */
void vmware_close(struct vmware_call *q, const char *name);
void vmware_text(struct vmware_call *q, const char *name, struct str text);
/* A reference to an object. */
void vmware_ref(struct vmware_call *q, const char *name, const char *type, struct str id);

/* A call's outcome. To be released. */
struct vmware_answer {
	struct buf body;
	struct str header; /* the session's cookie, after Login */
	struct vmware_fault fault;
};
void vmware_answer_release(struct vmware_answer *answer);
#define AUTO_VIM_ANSWER __attribute__((cleanup(vmware_answer_release))) struct vmware_answer

/* Sends the call, and frees it. OK: an answer with status 200, which is still to be read. A fault is kept in the answer, and
 * closes the session if it says that there is none. */
RESULT vmware_send(struct vmware_call *q, struct remote *r, struct vmware_answer *ret_answer);
/* Sends the call, and reads texts of its answer. */
RESULT vmware_ask_texts(struct vmware_call *q, struct remote *r, const struct vmware_texts *texts);
/* Sends the call, whose answer is the id of a task or of a new object; empty if it has none. */
RESULT vmware_ask_id(struct vmware_call *q, struct remote *r, struct str *ret_id);
/* Sends the call, and reads the objects of its answer. */
RESULT vmware_ask_objects(struct vmware_call *q, struct remote *r, const struct vmware_visitor *visitor,
			  struct vmware_page *ret_page);

/* Properties of one object. */
struct vmware_get {
	const char *type;
	struct str id;
	const char *const *properties; /* NULL-terminated */
};
RESULT vmware_get_object(struct ctx *c, struct remote *r, const struct vmware_get *get,
			 const struct vmware_visitor *visitor);
/* The same, of properties that are one text each. ret_texts: in the arena; empty: absent. ERR_NOT_FOUND: the cloud says that
 * there is no such object. */
RESULT vmware_get_texts(struct ctx *c, struct remote *r, const struct vmware_get *get, struct str *ret_texts);

/* Objects of a type below the scope, a page at a time. */
struct vmware_listing {
	const char *type;
	const char *const *properties; /* NULL-terminated */
	int page_size;
};
RESULT vmware_list_objects(struct ctx *c, struct remote *r, const struct vmware_listing *listing,
			   struct str cursor, const struct vmware_visitor *visitor,
			   struct vmware_page *ret_page);

/* ---- session.c ---- */

/* Opens a session if there is none. *ret_is_fresh: it was opened now. */
RESULT vmware_sign_in(struct ctx *c, struct remote *r, bool *ret_is_fresh);
/* Ends the session there, if there is one. Failures are ignored: the server ends idle sessions. */
void vmware_sign_out(struct ctx *c, struct remote *r);
struct str vmware_id(const struct remote *r, enum vmware_id id);
/* The type of the scope. */
const char *vmware_scope_type(const struct remote *r);

/* Runs `work` in a session. If the server has ended the session, opens another one and runs `work` once more: a request that
 * is refused for that reason was not carried out. */
typedef RESULT (*vmware_work)(struct ctx *c, struct remote *r, void *arg);
RESULT vmware_run(struct ctx *c, struct remote *r, vmware_work work, void *arg);
