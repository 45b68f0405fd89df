/**
 * One field of a form: its label, its input, what it means, and what is wrong with it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, type ReactElement, type ReactNode } from 'react';

import { fieldOf, isRequired, typed, type FieldSchema, type FormName } from './schema';

/** What is around every input. */
export interface FrameProps {
  readonly label: string;
  /** What it means, below the input. */
  readonly help?: string | undefined;
  readonly problem?: string | undefined;
  /** Draws the input with the attributes that tie it to the rest. */
  readonly children: (tie: Tie) => ReactNode;
}

/** What ties an input to its label, its help and its problem, for screen readers. */
export interface Tie {
  readonly id: string;
  readonly 'aria-invalid': boolean;
  readonly 'aria-describedby': string | undefined;
}

/** A label, an input, and what there is to say about it. */
export function Frame({ label, help, problem, children }: FrameProps): ReactElement {
  const id = useId();
  const told = [problem ? `${id}-problem` : '', help ? `${id}-help` : ''].filter(Boolean).join(' ');
  return (
    <div className="jp-TensorOne-field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-invalid': Boolean(problem),
        'aria-describedby': told === '' ? undefined : told
      })}
      {problem && (
        <div className="jp-TensorOne-problem" id={`${id}-problem`} role="alert">
          <span aria-hidden="true">▲ </span>
          {problem}
        </div>
      )}
      {help && (
        <div className="jp-TensorOne-help" id={`${id}-help`}>
          {help}
        </div>
      )}
    </div>
  );
}

/** What a field of a schema is drawn from. */
export interface SchemaFieldProps {
  readonly form: FormName;
  readonly path: string;
  readonly value: string | boolean;
  readonly problem?: string | undefined;
  /** A label other than the schema's. */
  readonly label?: string;
  /** Its label says enough. */
  readonly isPlain?: boolean;
  readonly onChange: (path: string, value: string | boolean) => void;
  readonly trans: TranslationBundle;
}

/** A field as its schema has it: a tick, a choice, or a line to type in. */
export function SchemaField(props: SchemaFieldProps): ReactElement {
  const { form, path, value, problem, onChange, trans } = props;
  const schema = fieldOf(form, path);
  // Texts of the schema are translated like all others: the bundle has them by their English.
  const label = props.label ?? trans.__(schema.title ?? path);
  const help = props.isPlain ? '' : helpOf(schema);
  if (schema.type === 'boolean') {
    return (
      <Tick
        {...{ label, help: help && trans.__(help), problem }}
        checked={value === true}
        onChange={checked => onChange(path, checked)}
      />
    );
  }
  const text = String(value);
  return (
    <Frame label={withUnit(label, schema, trans)} help={help && trans.__(help)} problem={problem}>
      {tie =>
        schema.enum ? (
          <select
            {...tie}
            className="jp-mod-styled"
            value={text}
            onChange={event => onChange(path, event.target.value)}
          >
            <option value="">{trans.__('default (%1)', String(typed(schema.default)))}</option>
            {schema.enum.map(choice => (
              <option key={choice}>{choice}</option>
            ))}
          </select>
        ) : (
          <input
            {...tie}
            className="jp-mod-styled"
            type="text"
            inputMode={schema.type === 'integer' ? 'numeric' : 'text'}
            autoComplete="off"
            spellCheck={false}
            aria-required={isRequired(form, path)}
            placeholder={placeholderOf(schema, trans)}
            value={text}
            onChange={event => onChange(path, event.target.value)}
          />
        )
      }
    </Frame>
  );
}

/** What a tick is drawn from. */
export interface TickProps {
  readonly label: string;
  readonly help?: string | undefined;
  readonly problem?: string | undefined;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

/** Something that is so or not. */
export function Tick({ label, help, problem, checked, onChange }: TickProps): ReactElement {
  const id = useId();
  const said = problem ?? help ?? '';
  return (
    <div className="jp-TensorOne-field">
      <label className="jp-TensorOne-tick">
        <input
          type="checkbox"
          checked={checked}
          aria-invalid={Boolean(problem)}
          aria-describedby={said === '' ? undefined : `${id}-help`}
          onChange={event => onChange(event.target.checked)}
        />
        {label}
      </label>
      {said !== '' && (
        <div className={problem ? 'jp-TensorOne-problem' : 'jp-TensorOne-help'} id={`${id}-help`}>
          {said}
        </div>
      )}
    </div>
  );
}

function withUnit(label: string, schema: FieldSchema, trans: TranslationBundle): string {
  const unit = schema['x-unit'];
  return unit ? trans.__('%1 (%2)', label, trans.__(unit)) : label;
}

/** Return what the schema says beyond the label. */
function helpOf({ title = '', description = '' }: FieldSchema): string {
  return description.replace(/\.$/, '') === title ? '' : description;
}

/** Say what holds if the field is left empty, or what could stand in it. */
function placeholderOf(schema: FieldSchema, trans: TranslationBundle): string {
  if (schema['x-empty']) {
    return trans.__(schema['x-empty']);
  }
  if (schema.default != null && schema.default !== '') {
    return trans.__('default: %1', String(typed(schema.default)));
  }
  const example = schema.examples?.[0];
  return example == null ? '' : trans.__('such as %1', String(typed(example)));
}
