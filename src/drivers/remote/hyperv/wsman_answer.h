/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: reads answers of WS-Management (SOAP 1.2): instances of classes of WMI, results of
 * methods and faults. Pure; any thread. */
#pragma once

#include "drivers/remote/xml_walk.h"

enum { WSMAN_VALUES_MAX = 128, WSMAN_CONTEXT_MAX = 1024 };

/* A value of a property. A property that is an array has several. */
struct wsman_value {
	const char *property;
	struct str text; /* in the arena */
};
/* An instance, or the result of a method. */
struct wsman_instance {
	struct wsman_value at[WSMAN_VALUES_MAX]; /* wanted ones that are not empty */
	size_t count;
};
/* First value; empty: none. */
struct str wsman_get(const struct wsman_instance *i, const char *property);

struct wsman_visitor {
	void *self;
	const char *const *wanted; /* names of properties; NULL-terminated */
	RESULT (*take)(void *self, const struct wsman_instance *i);
	/* Values of this property are handed over one by one before take(), instead of being kept in the instance, because
	 * they are long. Valid during the call alone. NULL: none. */
	const char *streamed;
	RESULT (*stream)(void *self, struct str text);
};

/* Members of a page of an enumeration beside its instances. */
struct wsman_page {
	size_t count;
	struct str context; /* token of the next page, in the arena */
	bool is_over;
};
/* Reads the answer to Enumerate or Pull. ERR_IO: it is none, or breaks a limit. */
RESULT wsman_read_page(struct ctx *c, struct str text, const struct wsman_visitor *visitor,
		       struct wsman_page *ret_page);

/* Reads the answer of a method. Properties of objects inside of the result are named "Job/ReferenceParameters/…"; a selector
 * is named by its Name. */
RESULT wsman_read_result(struct ctx *c, struct str text, const char *method, const char *const *wanted,
			 struct wsman_instance *ret_result);

/* Reads the answer to Identify. */
RESULT wsman_read_identity(struct ctx *c, struct str text, struct str *ret_product);

/* A refusal. Texts are in the arena. */
struct wsman_fault {
	struct str subcode; /* such as AccessDenied, without its prefix; empty: none */
	struct str code;    /* WinRM's number; empty: none */
	struct str words;
};
/* ERR_IO: the answer is no fault. */
RESULT wsman_read_fault(struct ctx *c, struct str text, struct wsman_fault *ret_fault);
enum err wsman_err_of_fault(const struct wsman_fault *fault);
/* Fails with the fault's words. */
RESULT wsman_fail(struct ctx *c, const struct wsman_fault *fault);

/* Reads an instance that is a text in CIM-XML, such as an item that a guest reports. */
RESULT wsman_read_embedded(struct ctx *c, struct str text, const char *const *wanted,
			   struct wsman_instance *ret_instance);
