/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: reads answers of vSphere's web services (SOAP 1.1, namespace urn:vim25). Elements are
 * known by namespace and local name. Pure; any thread. */
#pragma once

#include "drivers/remote/xml_walk.h"

/* Texts of an answer. ERR_IO: the answer is none of the method, or breaks a limit. */
struct vmware_texts {
	const char *const *paths; /* below the answer's element, such as "returnval/about/apiType" */
	struct str *ret_texts;    /* in the arena; the first of several; empty: absent */
	size_t count;
};
RESULT vmware_read_texts(struct ctx *c, struct str text, const char *method,
			 const struct vmware_texts *texts);

/* Walks an answer of the method. Paths begin below its element. ERR_IO as above. */
RESULT vmware_walk(struct ctx *c, struct str text, const char *method, const struct xml_visitor *visitor);

/* Properties of objects. Texts are valid during the call alone. */
struct vmware_visitor {
	void *self;
	RESULT (*begin)(void *self, struct str type, struct str ref);
	/* An element inside a property begins; below: path inside, empty for the property itself. xsi_type and ref_type:
	 * its attributes. NULL: ignored. */
	RESULT (*enter)(void *self, struct str property, struct str below, struct str xsi_type);
	RESULT (*value)(void *self, struct str property, struct str below, struct str text);
	RESULT (*end)(void *self);
};
struct vmware_page {
	size_t objects;
	struct str token;   /* token of the next page, in the arena; empty: the last page */
	bool is_signed_out; /* the server left properties out because there is no session */
};
/* Reads an answer of RetrievePropertiesEx or ContinueRetrievePropertiesEx. ERR_AGAIN: `is_signed_out`. */
RESULT vmware_read_objects(struct ctx *c, struct str text, const char *method,
			   const struct vmware_visitor *visitor, struct vmware_page *ret_page);

/* A refusal. Texts are in the arena. */
struct vmware_fault {
	struct str name;      /* type of the fault, such as InvalidPowerState; empty: unknown */
	struct str words;     /* the cloud's own words */
	struct str privilege; /* of NoPermission */
	struct str object;    /* the object that the fault is about */
};
/* ERR_IO: the answer is no fault. */
RESULT vmware_read_fault(struct ctx *c, struct str text, struct vmware_fault *ret_fault);
/* The kind of failure that a fault means. */
enum err vmware_err_of_fault(struct str name);
/* Fails with the fault's words. */
RESULT vmware_fail(struct ctx *c, const struct vmware_fault *fault, enum err err);
