/**
 * An address that is handed on: to copy, or to scan.
 */
import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type ReactElement } from 'react';
import { encode } from 'uqr';

/** An address to copy, or to scan. */
export function Address(props: {
  readonly url: string;
  readonly says: string;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { url, says, trans } = props;
  const [copied, setCopied] = useState(false);
  return (
    <div className="jp-TensorOne-form">
      <p>{says}</p>
      <div className="jp-TensorOne-address">
        <input
          className="jp-mod-styled"
          readOnly
          aria-label={trans.__('Address')}
          value={url}
          onFocus={event => event.target.select()}
        />
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept"
          onClick={() => {
            Clipboard.copyToSystem(url);
            setCopied(true);
          }}
        >
          {trans.__('Copy')}
        </button>
      </div>
      <p role="status" className="jp-TensorOne-help">
        {copied ? trans.__('Copied.') : ' '}
      </p>
      <QrCode text={url} label={trans.__('The same address, to scan')} />
      {isLocal(url) && (
        <p className="jp-TensorOne-help">
          {trans.__(
            'The address names this machine only for itself, so it works on this machine alone.'
          )}
        </p>
      )}
    </div>
  );
}

function isLocal(url: string): boolean {
  return /^[a-z]+:\/\/(localhost|127\.|\[::1\]|[^/:]+\.localhost)/i.test(url);
}

/** A text as a QR code: dark on white in every theme, as cameras want it. */
export function QrCode(props: { readonly text: string; readonly label: string }): ReactElement {
  const { data, size } = encode(props.text, { ecc: 'L', border: 4 });
  const dark = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : '')));
  return (
    <svg
      className="jp-TensorOne-qr"
      role="img"
      aria-label={props.label}
      viewBox={`0 0 ${size} ${size}`}
    >
      <rect width={size} height={size} fill="white" />
      <path d={dark.join('')} fill="black" shapeRendering="crispEdges" />
    </svg>
  );
}
