/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, behind its makers: what a user signs in with besides a password and access keys. */
#pragma once

static RESULT make_second_factor(struct cloud *c, int n)
{
	struct second_factor_wish wish = {.id = id_new(KIND_SECOND_FACTOR),
					  .user = ref_to(c, KIND_USER, owner),
					  .name = numbered(c, "telephone", n),
					  .secret = STR("sealed")};
	MAKE(c, NULL, engine_create_second_factor, wish, id);
}
static void drop_second_factor(struct cloud *c)
{
	struct second_factor_target wish = {ref_by_id(KIND_SECOND_FACTOR, made)};
	cloud_ok(c, NULL, engine_delete_second_factor, &wish);
}

static RESULT upload_credential(struct cloud *c, int n, enum public_credential_type type)
{
	struct str text = numbered(c, "key", n);
	struct public_credential_wish wish = {.user = ref_to(c, KIND_USER, owner),
					      .type = type,
					      .key_id = text,
					      .body = text,
					      .fingerprint = text};
	MAKE(c, &c->alice, engine_upload_public_credential, wish, credential);
}
static RESULT make_ssh_key(struct cloud *c, int n)
{
	return upload_credential(c, n, PUBLIC_CREDENTIAL_TYPE_SSH_KEY);
}
static RESULT make_certificate(struct cloud *c, int n)
{
	return upload_credential(c, n, PUBLIC_CREDENTIAL_TYPE_CERTIFICATE);
}
static void drop_uploaded(struct cloud *c)
{
	const struct public_credential *p = public_credential_find(cloud_tables(c), made);
	struct public_credential_target wish = {
		.user = ref_to(c, KIND_USER, owner), .type = p->type, .key_id = p->key_id};
	cloud_ok(c, &c->alice, engine_delete_public_credential, &wish);
}
