/* SPDX-License-Identifier: Apache-2.0
 * Turns a published change into ring entries: for the row, and for rows that are shown with parts of it.
 * Runs on the committer: memory only, and no loop longer than a row's own parts.
 */
#include "api/native/action.h"
#include "api/native/feed_internal.h"

#include "model/address.h"
#include "model/image.h"
#include "model/image_device.h"
#include "model/secondary_ip.h"
#include "model/snapshot.h"
#include "model/ticket_link.h"
#include "store/condition.h"
#include "store/image_device.h"
#include "store/port.h"

static bool is_shared(enum kind kind, const struct row *row)
{
	if (!row)
		return false;
	if (kind == KIND_IMAGE)
		return image_of(row)->is_public || image_of(row)->is_community ||
		       image_of(row)->launchers.count;
	if (kind == KIND_SNAPSHOT)
		return snapshot_of(row)->is_public || snapshot_of(row)->restorers.count;
	return false;
}

/* Owner of the row; for a part, owner of its parent. */
static uuid owner_of(const struct tables *t, enum kind kind, const struct row *row)
{
	unsigned of = model_shown[kind].of;
	if (!row)
		return UUID_NONE;
	if (!of)
		return engine_get_owner(kind, row);
	const struct field *f = &model_kinds[kind].fields[of - 1];
	const struct row *parent =
		tables_find(t, f->ref, *(const uuid *) (const void *) ((const char *) row + f->offset));
	return parent ? engine_get_owner(f->ref, parent) : UUID_NONE;
}

static void add(struct feed *f, const struct feed_entry *entry)
{
	f->ring[f->head++ % FEED_RING] = *entry;
	f->last_commit = entry->commit;
}

static void add_row(struct feed *f, const struct tables *t, enum kind kind, const struct row *before,
		    const struct row *after, uint64_t commit)
{
	uuid was = owner_of(t, kind, before), is = owner_of(t, kind, after);
	struct feed_entry entry = {.commit = commit,
				   .id = (after ? after : before)->id,
				   .before = uuid_is_none(was) ? is : was,
				   .after = uuid_is_none(is) ? was : is,
				   .kind = (uint8_t) kind,
				   .was_shared = is_shared(kind, before),
				   .is_new = !before};
	entry.is_for_all = (uuid_is_none(was) && uuid_is_none(is)) || is_shared(kind, after) ||
			   entry.was_shared || kind == KIND_PEERING;
	add(f, &entry);
}

/* Adds an unchanged row because something shown with it has changed. */
static void add_whole(struct feed *f, const struct tables *t, enum kind kind, uuid id, uint64_t commit)
{
	const struct row *row = uuid_is_none(id) || !model_shown[kind].name ? NULL : tables_find(t, kind, id);
	if (row)
		add_row(f, t, kind, row, row, commit);
}

static void add_of_port(struct feed *f, const struct tables *t, uuid port, bool with_port, uint64_t commit)
{
	const struct port *p = uuid_is_none(port) ? NULL : port_find(t, port);
	if (!p)
		return;
	if (with_port)
		add_whole(f, t, KIND_PORT, port, commit);
	add_whole(f, t, KIND_INSTANCE, p->instance, commit);
}

static void add_images_of(struct feed *f, const struct tables *t, uuid snapshot, uint64_t commit)
{
	for (const struct image_device *d = image_device_first_by_snapshot(t, snapshot); d;
	     d = image_device_next_by_snapshot(t, d))
		add_whole(f, t, KIND_IMAGE, d->image, commit);
}

/* Adds the rows whose derived members or conditions depend on this row. */
static void add_related(struct feed *f, const struct tables *t, enum kind kind, const struct row *row,
			uint64_t commit)
{
	switch ((int) kind) {
	case KIND_CONDITION: {
		int64_t of = condition_of(row)->subject_kind;
		if (of > KIND_NONE && of < KIND_COUNT)
			add_whole(f, t, (enum kind) of, condition_of(row)->subject, commit);
		break;
	}
	case KIND_PORT:
		add_whole(f, t, KIND_INSTANCE, port_of(row)->instance, commit);
		break;
	case KIND_SECONDARY_IP:
		add_of_port(f, t, secondary_ip_of(row)->port, true, commit);
		break;
	case KIND_ADDRESS:
		add_of_port(f, t, address_of(row)->port, true, commit);
		break;
	case KIND_IMAGE_DEVICE:
		add_whole(f, t, KIND_IMAGE, image_device_of(row)->image, commit);
		break;
	case KIND_TICKET_LINK:
		add_whole(f, t, KIND_SUPPORT_TICKET, ticket_link_of(row)->ticket, commit);
		break;
	case KIND_SNAPSHOT:
		add_images_of(f, t, row->id, commit);
		break;
	}
}

/* ---- who may what ---- */

/* Kinds that token_weigh() reads. */
static bool is_about_people(enum kind kind)
{
	static const enum kind kinds[] = {KIND_USER,  KIND_ACCOUNT,         KIND_DOMAIN,
					  KIND_ROLE,  KIND_ROLE_ASSIGNMENT, KIND_APPLICATION_CREDENTIAL,
					  KIND_TRUST, KIND_ACCESS_KEY,      KIND_TOKEN_REVOCATION};
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		if (kinds[k] == kind)
			return true;
	return false;
}

static bool is_about_policies(enum kind kind)
{
	static const enum kind kinds[] = {KIND_USER_GROUP,     KIND_GROUP_MEMBER,  KIND_POLICY,
					  KIND_POLICY_VERSION, KIND_IAM_ROLE,      KIND_POLICY_ATTACHMENT,
					  KIND_ARM_ROLE,       KIND_ARM_ASSIGNMENT};
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		if (kinds[k] == kind)
			return true;
	return false;
}

/* False if only history fields differ: the last use of a key does not change its rights. */
static bool is_changed(enum kind kind, const struct row *before, const struct row *after)
{
	const struct kind_info *k = &model_kinds[kind];
	if (!before || !after || row_is_live(before) != row_is_live(after))
		return true;
	for (unsigned n = 0; n < k->field_count; n++)
		if (k->fields[n].group != FIELD_HISTORY &&
		    row_compare_field(&k->fields[n], before, after) != 0)
			return true;
	return false;
}

static void note_right(struct feed *f, const struct published *p, uint64_t commit)
{
	const struct row *row = p->after ? p->after : p->before;
	bool is_policy = is_about_policies(p->kind);
	if ((!is_policy && !is_about_people(p->kind)) || !is_changed(p->kind, p->before, p->after))
		return;
	uuid owner = engine_get_owner(p->kind, row);
	struct feed_entry entry = {.commit = commit,
				   .id = row->id,
				   .before = owner,
				   .after = owner,
				   .kind = KIND_NONE,
				   .is_right = true,
				   .is_policy = is_policy,
				   .is_for_all = uuid_is_none(owner)};
	add(f, &entry);
}

void feed_note(struct feed *f, const struct tables *t, const struct published *p, uint64_t commit)
{
	const struct row *row = p->after ? p->after : p->before;
	note_right(f, p, commit);
	if (model_shown[p->kind].name)
		add_row(f, t, p->kind, p->before, p->after, commit);
	add_related(f, t, p->kind, row, commit);
	if (p->before && p->after && (p->kind == KIND_PORT || p->kind == KIND_ADDRESS))
		add_related(f, t, p->kind, p->before, commit); /* also the instance or port that it left */
}
