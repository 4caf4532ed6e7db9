/* SPDX-License-Identifier: Apache-2.0
 * Data of templates and ISOs that clients send by POST, as forms with a file (base/multipart.h): getUploadParamsForTemplate
 * tells them where to, and which headers prove it. Source: TemplateManagerImpl, ImageStoreUtil, EncryptionUtil,
 * HttpUploadServerHandler and NfsSecondaryStorageResource of 4.18. */
#pragma once

#include "api/cloudstack/core/action.h"

/* The path of the URL, before the image's id. */
#define CS_UPLOAD_PREFIX "/upload/"

/* What a client is told; in the call's arena. */
struct cs_upload {
	uuid image;
	struct str url;
	struct str
		metadata; /* header X-metadata: the caller's ticket to the image (auth/ticket.h), opaque to clients */
	struct str expires;   /* header X-expires: until when an upload may begin */
	struct str signature; /* header X-signature: in base64 the HMAC-SHA1 of metadata, URL and expires */
};
/* In prepare, before tables are read. ERR_DENIED: the caller, an administrator, has no role in the account that the image is for. */
RESULT cs_begin_upload(struct cs_call *e);
/* In answers: fills in all but the image. */
RESULT cs_make_upload(struct cs_call *e, struct cs_upload *upload);
