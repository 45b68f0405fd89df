import './base.css';
import './dialogs.css';
import './around.css';
