/* SPDX-License-Identifier: Apache-2.0
 * The ARN of the key for an account's volumes, as EC2 shows one. Each volume's own key is sealed under the
 * region's master key (model/disk_key.h); there is no KMS. */
#include "api/ec2/core/write.h"
#include "api/ec2/storage/volumes.h"

#define ALIAS "alias/aws/ebs"

static struct str write_arn(struct ec2_call *e, const char *resource)
{
	return str_print(e->c->arena, "arn:aws:kms:%" STR_FMT ":%" STR_FMT ":%s", STR_ARG(e->config->region),
			 STR_ARG(e->owner), resource);
}

static const char *write_key_id(uuid account, char text[static UUID_TEXT_SIZE])
{
	return uuid_write(uuid_v5(account, STR(ALIAS)), text);
}

struct str ec2_kms_arn(struct ec2_call *e, uuid account)
{
	char id[UUID_TEXT_SIZE];
	struct str resource = str_print(e->c->arena, "key/%s", write_key_id(account, id));
	return resource.p ? write_arn(e, resource.p) : STR_NONE;
}

RESULT ec2_take_kms_key(struct ec2_call *e, struct str key, struct disk_crypt *crypt)
{
	char id[UUID_TEXT_SIZE];
	uuid account = engine_get_account(e->c);
	if (str_is_empty(key))
		return OK;
	crypt->key_field = STR("KmsKeyId");
	crypt->wanted_field = STR("Encrypted");
	if (str_is(key, ALIAS) || str_equal(key, write_arn(e, ALIAS)) ||
	    str_is(key, write_key_id(account, id)) || str_equal(key, ec2_kms_arn(e, account)))
		return OK;
	if (crypt->is_wanted == CHOICE_NO)
		return OK; /* the engine refuses the combination, whatever the key */
	return ctx_fail_field(e->c, ERR_INVALID, STR("KmsKeyId"),
			      "Value (%" STR_FMT
			      ") for parameter kmsKeyId is invalid. There is no other key than "
			      "%" STR_FMT ".",
			      STR_ARG(str_slice(key, 0, 256)), STR_ARG(ec2_kms_arn(e, account)));
}

void ec2_write_encrypted(struct ec2_call *e, struct xml *x, bool is_encrypted, uuid account)
{
	xml_bool(x, "encrypted", is_encrypted);
	if (is_encrypted)
		xml_text(x, "kmsKeyId", ec2_kms_arn(e, account));
}
