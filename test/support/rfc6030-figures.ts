/** The values of RFC 6030's figures 2 to 10, in their elements. */

const PSKC = 'xmlns="urn:ietf:params:xml:ns:keyprov:pskc"'
const DS = 'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
const XENC = 'xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"'
const HOTP = 'urn:ietf:params:xml:ns:keyprov:pskc:hotp'
const AES_128 = 'http://www.w3.org/2001/04/xmlenc#aes128-cbc'
const SECRET_OF_ALL = 'MTIzNDU2Nzg5MDEyMzQ1Njc4OTA='

const parameters = (length: number) =>
  `<AlgorithmParameters><ResponseFormat Length="${length}" Encoding="DECIMAL"/></AlgorithmParameters>`
const secret = (base64: string) => `<Secret>
          <PlainValue>${base64}
          </PlainValue>
        </Secret>`
const COUNTER = '<Counter><PlainValue>0</PlainValue></Counter>'

const device = (serial: string, more = '') => `<DeviceInfo>
      <Manufacturer>Manufacturer</Manufacturer>
      <SerialNo>${serial}</SerialNo>${more}
    </DeviceInfo>
    <CryptoModuleInfo><Id>CM_ID_001</Id></CryptoModuleInfo>`

function container(content: string, attributes = PSKC): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer Version="1.0" ${attributes}>
${content}
</KeyContainer>
`
}

function keyPackage(info: string, key: string, { id = '12345678', algorithm = HOTP } = {}): string {
  return `  <KeyPackage>
    ${info}
    <Key Id="${id}" Algorithm="${algorithm}">
      <Issuer>Issuer</Issuer>
      ${key}
    </Key>
  </KeyPackage>`
}

const encrypted = (base64: string, method = AES_128) => `
          <xenc:EncryptionMethod Algorithm="${method}"/>
          <xenc:CipherData>
            <xenc:CipherValue>
              ${base64}
            </xenc:CipherValue>
          </xenc:CipherData>`

const encryptedSecret = (base64: string, mac: string, method?: string) => `<Secret>
        <EncryptedValue>${encrypted(base64, method)}
        </EncryptedValue>${mac}
      </Secret>`

/** Figure 2: a seed of 32 bits. */
export const FIGURE_2 = container(
  keyPackage('', `<Data>${secret('MTIzNA==')}</Data>`),
  `Id="exampleID1" ${PSKC}`,
)

/** Figure 3: with supplementary data. */
export const FIGURE_3 = container(
  keyPackage(
    device('987654321', '<UserId>DC=example-bank,DC=net</UserId>'),
    `${parameters(8)}<Data>${secret(SECRET_OF_ALL)}${COUNTER}</Data>
      <UserId>UID=jsmith,DC=example-bank,DC=net</UserId>`,
  ),
)

/** Figure 4: a seed that is derived from a master key that the file does not have. */
export const FIGURE_4 = container(
  keyPackage(
    device('987654321'),
    `${parameters(8)}<KeyProfileId>keyProfile1</KeyProfileId>
      <KeyReference>MasterKeyLabel</KeyReference>
      <Data>${COUNTER}</Data><Policy><KeyUsage>OTP</KeyUsage></Policy>`,
  ),
)

/** Figure 5: a token with a PIN on its own keypad, and that PIN as another key. */
export const FIGURE_5 = container(
  [
    keyPackage(
      device('987654321'),
      `${parameters(8)}<Data>${secret(SECRET_OF_ALL)}${COUNTER}</Data>
      <Policy>
        <PINPolicy MinLength="4" MaxLength="4" PINKeyId="123456781" PINEncoding="DECIMAL"
          PINUsageMode="Local"/>
        <KeyUsage>OTP</KeyUsage>
      </Policy>`,
    ),
    keyPackage(
      device('987654321'),
      `${parameters(4)}<Data><Secret><PlainValue>MTIzNA==</PlainValue></Secret></Data>`,
      { id: '123456781', algorithm: 'urn:ietf:params:xml:ns:keyprov:pskc:pin' },
    ),
  ].join('\n'),
)

/** Figure 6: encrypted with this key. */
export const FIGURE_6_KEY = Buffer.from('12345678901234567890123456789012', 'hex')
export const FIGURE_6_MAC = '<ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExc=\n        </ValueMAC>'
export const FIGURE_6_VALUE = 'AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv'
const PRE_SHARED = '<EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>'
const FIGURE_6_MAC_METHOD = `<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1">
    <MACKey>${encrypted('ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX')}
    </MACKey>
  </MACMethod>`
export const FIGURE_6 = container(
  `  ${PRE_SHARED}
  ${FIGURE_6_MAC_METHOD}
${keyPackage(
  device('987654321'),
  `${parameters(8)}<Data>${encryptedSecret(FIGURE_6_VALUE, FIGURE_6_MAC)}${COUNTER}</Data>`,
)}`,
  `${PSKC} ${DS} ${XENC}`,
)

/** Figure 7: the key is derived from a password. */
export const FIGURE_7 = container(
  `  <EncryptionKey>
    <xenc11:DerivedKey>
      <xenc11:KeyDerivationMethod
        Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2">
        <pkcs5:PBKDF2-params>
          <Salt><Specified>Ej7/PEpyEpw=</Specified></Salt>
          <IterationCount>1000</IterationCount><KeyLength>16</KeyLength><PRF/>
        </pkcs5:PBKDF2-params>
      </xenc11:KeyDerivationMethod>
      <xenc11:MasterKeyName>My Password 1</xenc11:MasterKeyName>
    </xenc11:DerivedKey>
  </EncryptionKey>
  <MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1">
    <MACKey>${encrypted('2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx')}
    </MACKey>
  </MACMethod>
${keyPackage(
  device('987654321'),
  `${parameters(8)}<Data>${encryptedSecret(
    'oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f',
    '<ValueMAC>LP6xMvjtypbfT9PdkJhBZ+D6O4w=</ValueMAC>',
  )}</Data>`,
  { id: '123456' },
)}`,
  `${PSKC} ${XENC} xmlns:xenc11="http://www.w3.org/2009/xmlenc11#"
  xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"`,
)

/** Figure 8: encrypted for a certificate, whose bytes nobody needs here. */
export const FIGURE_8 = container(
  `  <EncryptionKey><ds:X509Data><ds:X509Certificate>MIIB5zCCAVCgAwIBAgIESZp/vDANBgkqhkiG9w0B
  </ds:X509Certificate></ds:X509Data></EncryptionKey>
${keyPackage(
  device('987654321'),
  `${parameters(6)}<Data>${encryptedSecret(
    'hJ+fvpoMPMO9BYpK2rdyQYGIxiATYHTHC7e/sPLKYo5/r1v+4xTYG3gJolCWuVMydJ7Ta0GaiBPHcWa8ctCVYmHKfSz5' +
      'fdeV5nqbZApe6dofTqhRwZK6Yx4ufevi91cjN2vBpSxYafvN3c3+xIgk0EnTV4iVPRCR0rBwyfFrPc4=',
    '',
    'http://www.w3.org/2001/04/xmlenc#rsa_1_5',
  )}${COUNTER}</Data>`,
  { id: 'MBK000000001' },
)}`,
  `${PSKC} ${DS} ${XENC}`,
)

/** Figure 9: signed. */
export const FIGURE_9 = container(
  `${keyPackage(
    device('0755225266'),
    `${parameters(6)}<Data>${secret(SECRET_OF_ALL)}${COUNTER}</Data>`,
    { id: '123' },
  )}
  <Signature>
    <ds:SignedInfo>
      <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
      <ds:SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/>
      <ds:Reference URI="#Device">
        <ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/>
        <ds:DigestValue>j6lwx3rvEPO0vKtMup4NbeVu8nk=</ds:DigestValue>
      </ds:Reference>
    </ds:SignedInfo>
    <ds:SignatureValue>j6lwx3rvEPO0vKtMup4NbeVu8nk=</ds:SignatureValue>
  </Signature>`,
  `${PSKC} ${DS} ${XENC}`,
)

const ofTheBulk = (id: string, serial: string, from: string, until: string) =>
  keyPackage(
    device(serial),
    `${parameters(8)}<Data>${secret(SECRET_OF_ALL)}${COUNTER}</Data>
      <Policy><StartDate>${from}</StartDate><ExpiryDate>${until}</ExpiryDate></Policy>`,
    { id },
  )
const [MARCH, APRIL] = ['2006-03-01T00:00:00Z', '2006-04-01T00:00:00Z']
const [MAY, END_OF_MAY] = ['2006-05-01T00:00:00Z', '2006-05-31T00:00:00Z']

/** Figure 10: in bulk; of the last device the keys of two months. */
export const FIGURE_10 = container(
  [
    ofTheBulk('1', '654321', MAY, END_OF_MAY),
    ofTheBulk('2', '123456', MAY, END_OF_MAY),
    ofTheBulk('3', '9999999', MARCH, '2006-03-31T00:00:00Z'),
    ofTheBulk('4', '9999999', APRIL, '2006-04-30T00:00:00Z'),
  ].join('\n'),
)
