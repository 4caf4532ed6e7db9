/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: walks an XML document element by element. Refuses document types (and with them
 * entities), depth and long texts. Paths have no namespaces. Pure; any thread. */
#pragma once

#include "base/ctx.h"

enum { XML_DEPTH_MAX = 64, XML_TEXT_MAX = 64 * 1024 };

/* Namespace of an element, and its attributes `type`, `type` of XML Schema's instance namespace, NAME (CIM-XML of DMTF),
 * Code (faults of WinRM) and Name (selectors of WS-Management); empty: none. */
struct xml_marks {
	struct str space, type, xsi_type, cim_name, code, name;
};

/* path: names of elements below the document's own, "volumeSet/item"; empty for the document's own. Both texts are valid
 * during the call alone. */
struct xml_visitor {
	void *self;
	RESULT (*enter)(void *self, struct str path);
	RESULT (*leave)(void *self, struct str path, struct str text); /* text: trimmed */
	/* Called before enter(); NULL: namespaces and attributes are ignored. */
	RESULT (*mark)(void *self, struct str path, const struct xml_marks *marks);
};

/* ERR_IO, with a sentence: the text is no such document, or breaks a limit. *ret_root: name of its element, without
 * prefix, in the arena; set also after a failure. */
RESULT remote_walk_xml(struct ctx *c, struct str text, const struct xml_visitor *visitor,
		       struct str *ret_root);
/* Fails with ERR_IO: "The answer is not usable: …". */
RESULT remote_fail_answer(struct ctx *c, const char *what);
