/* SPDX-License-Identifier: Apache-2.0
 * Annotations (CloudStack): notes that people leave at resources. An annotation is deleted with its resource, and
 * when the resource moves to another account. */
#pragma once

#include "engine/operation.h"
#include "model/annotation_words.h"

struct annotation;

enum { ANNOTATION_TEXT_MAX = 255 /* characters, CloudStack's */, ANNOTATIONS_MAX = 10000 };

/* Adds a note to a resource of the caller's account. Administrators add notes to every resource; only they
 * add notes to a resource that no account owns. ERR_DENIED with KIND_ANNOTATION: the resource has no owner.
 * ERR_QUOTA: the owner has ANNOTATIONS_MAX; administrators are not limited. */
struct annotation_wish {
	struct ref resource;       /* of any kind */
	enum annotation_part part; /* of a zone */
	struct str text;
	bool admins_only;
	/* outputs: */
	uuid annotation;
};
OPERATION(engine_add_annotation, annotation_wish)

/* Administrators and the author may remove a note. ERR_PROTECTED: the caller is neither, but sees the note. */
struct annotation_target {
	struct ref annotation;
};
OPERATION(engine_remove_annotation, annotation_target)

/* Shows a note to users, or hides it from them; for administrators. */
struct annotation_visibility {
	struct ref annotation;
	bool admins_only;
};
OPERATION(engine_update_annotation, annotation_visibility)

/* True if the resource still exists and the caller sees the note. */
bool engine_sees_annotation(const struct ctx *c, const struct tables *t, const struct annotation *a);
/* The newest note of the resource's part that the caller sees; NULL: none. */
const struct annotation *engine_find_newest_annotation(const struct ctx *c, const struct tables *t,
						       uuid subject, enum annotation_part part);

/* Forgets the notes of a row that a change has forgotten, or given to another account, which must not read
 * them. engine_follow() calls it. */
RESULT annotation_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after);
