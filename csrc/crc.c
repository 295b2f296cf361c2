/* CRC-32C, nibble at a time: 64 bytes of table, no state to initialise.
 * Polynomial 0x1EDC6F41 (Castagnoli 1993; RFC 3720), reflected 0x82F63B78. */
#include "ratescope.h"

static const uint32_t NIBBLE[16] = {
    0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u, 0x417B1DBCu, 0x5125DAD3u, 0x61C69362u, 0x7198540Du,
    0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u, 0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u,
};

int64_t rs_crc32c(const uint8_t *data, size_t size, uint32_t crc)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ NIBBLE[crc & 15];
        crc = (crc >> 4) ^ NIBBLE[crc & 15];
    }
    return (int64_t)(uint32_t)~crc;
}
