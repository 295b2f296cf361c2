#include "ratescope.h"

const char *rs_error_name(int64_t code)
{
    if (code >= 0) return "RS_OK";
    switch (code) {
    case RS_ERR_ARGUMENT: return "RS_ERR_ARGUMENT";
    case RS_ERR_SPACE: return "RS_ERR_SPACE";
    case RS_ERR_TRUNCATED: return "RS_ERR_TRUNCATED";
    case RS_ERR_CORRUPT: return "RS_ERR_CORRUPT";
    case RS_ERR_RANGE: return "RS_ERR_RANGE";
    case RS_ERR_UNSUPPORTED: return "RS_ERR_UNSUPPORTED";
    default: return "RS_ERR_UNKNOWN";
    }
}
